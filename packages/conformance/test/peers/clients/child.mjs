// What every peer's process does: start the client it is told to, report what the client meets, stop when told to.
const { peer, ...options } = JSON.parse(process.argv[2])
const report = (message) => process.send?.(message)
const { start } = await import(`./${peer}.mjs`)

try {
  const client = await start({ ...options, report })
  report({ kind: 'ready' })
  process.on('message', async () => {
    await client.stop()
    report({ kind: 'stopped' })
    process.disconnect()
  })
} catch (error) {
  report({ kind: 'error', text: String(error?.message ?? error) })
  process.disconnect()
}
