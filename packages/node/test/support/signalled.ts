// A program with a client that takes its time to stop, for the signals to meet.
import { disconnectOnSignals } from '../../src/disconnect-on-signals.ts'

const [mode] = process.argv.slice(2)
const alive = setInterval(() => {}, 1_000)
const dispose = disconnectOnSignals(
  {
    stop: async () => {
      console.log('stopping')
      if (mode === 'hang') return new Promise(() => {})
      if (mode === 'fail') throw new Error('the position could not be saved')
      if (mode !== 'exit') clearInterval(alive)
      await new Promise((resolve) => setImmediate(resolve))
      console.log('stopped')
    },
  },
  { exit: mode === 'exit' },
)
if (mode === 'exit') {
  // Another client of the process, which takes longer.
  disconnectOnSignals({
    stop: async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      console.log('the other one has stopped')
    },
  })
}
if (mode === 'disposed') dispose()
console.log(`ready ${process.listenerCount('SIGINT')} ${process.listenerCount('SIGTERM')}`)
