import type { Command, ControlCalls } from '../host/control.ts'

/** Drives the org of the host from any runtime. */
export type OrgControl = {
  [Name in keyof ControlCalls]: (...args: Parameters<ControlCalls[Name]>) => Promise<Awaited<ReturnType<ControlCalls[Name]>>>
}

export function orgControl(hostUrl: string): OrgControl {
  const send = async (command: Command): Promise<unknown> => {
    const response = await fetch(`${hostUrl}/control`, { method: 'POST', body: JSON.stringify(command) })
    const { value, error } = (await response.json()) as { value?: unknown; error?: string }
    if (error !== undefined) throw new Error(`control ${command.call}: ${error}`)
    return value
  }
  return new Proxy({} as OrgControl, {
    get:
      (_, call) =>
      (...args: unknown[]) =>
        send({ call, args } as unknown as Command),
  })
}
