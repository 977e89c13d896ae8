import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

// Builds the console into dist/ui; the server serves it from a fixed table of files.
export default defineConfig({
  root: 'ui',
  base: './',
  plugins: [preact()],
  build: { outDir: '../dist/ui', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, sourcemap: false },
});
