import { defineConfig } from 'vitest/config';

// Projects: `unit` is the inner loop; `system` starts real processes; `browser` drives Chromium.
// Modules are loaded by Node itself, as in production, except for ui/, which has .tsx files.
const node = { environment: 'node', testTimeout: 20_000, hookTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    experimental: { viteModuleRunner: false },
    projects: [
      {
        extends: true,
        test: {
          ...node,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/ui/**', 'test/system/**', 'test/browser/**'],
        },
      },
      {
        test: { ...node, name: 'ui', include: ['test/ui/**/*.test.ts'], experimental: { viteModuleRunner: true } },
      },
      {
        extends: true,
        test: {
          ...node,
          name: 'system',
          include: ['test/system/**/*.test.ts', 'test/browser/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
