import { readdirSync } from 'node:fs';
import { defineConfig } from 'vite';

// Builds the server for the published package: one file per entry with its packages inside, because Node does not strip
// types below node_modules, and because one bundle starts in half the time of loose files. A clone runs the sources.
const workers = readdirSync('server/workers').filter((file) => file.endsWith('.worker.ts'));

export default defineConfig({
  ssr: { noExternal: true },
  build: {
    ssr: true,
    outDir: 'dist/server',
    emptyOutDir: true,
    target: 'node26',
    rolldownOptions: {
      input: {
        main: 'server/main.ts',
        ...Object.fromEntries(workers.map((file) => [`workers/${file.slice(0, -3)}`, `server/workers/${file}`])),
      },
      output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
});
