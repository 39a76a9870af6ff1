/**
 * Makes this process answer commands of its parent, one reply each. It ignores Ctrl-C, which the terminal sends to every process:
 * the parent decides. When the parent is gone it has ten seconds to end by itself.
 */
export function serveCommands<Command, View>(handle: (command: Command) => Promise<View>, abandoned: () => void): void {
  process.on('SIGINT', () => {})
  process.on('message', (message: { id: number; command: Command }) => {
    handle(message.command).then(
      (view) => process.send?.({ id: message.id, view }),
      (error: unknown) =>
        process.send?.({ id: message.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
  process.on('disconnect', () => {
    abandoned()
    setTimeout(() => process.exit(3), 10_000).unref()
  })
}
