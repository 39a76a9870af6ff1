import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { entryPoints } from '../bundles/compositions.ts'
import { attempt, type RowContext } from './row.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const peers = ['cometd', 'faye', 'jsforce', '@salesforce/core', 'ofetch']

/** What a program waits for at its start, in a process that has imported nothing yet. */
export async function importTime(context: RowContext): Promise<void> {
  for (let round = 0; round < (context.quick ? 2 : 7); round++) {
    for (const name of [...entryPoints, ...peers]) {
      await attempt(context, `import of ${name}`, async () => {
        const program = `const at = performance.now(); await import('${name}'); console.log(performance.now() - at); process.exit()`
        const args = ['--input-type=module', '--eval', program]
        const text = execFileSync(process.execPath, args, { cwd: here, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
        context.measured.add({ row: 'import', metric: 'time in a fresh process', setting: 'Node', subject: name }, 'ms', Number(text))
      })
    }
  }
}
