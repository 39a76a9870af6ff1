import { type Context, command } from '../command.ts'
import { exitStatus, exitStatusHelp } from '../exit-status.ts'

export const demo = command(
  {
    name: 'demo',
    description: 'Show it at work: a simulated org, a consumer, and all that can go wrong. Needs no org and no network.',
    args: { verbose: { type: 'boolean', description: 'Show where an error came from' } },
    run: async (_args, { env, terminal }: Context) => {
      const { runDemo } = await import('../demo/run-demo.ts')
      const { lost, duplicated } = await runDemo(terminal, env)
      return lost + duplicated > 0 ? exitStatus.failed : exitStatus.ok
    },
  },
  { notes: [exitStatusHelp] },
)
