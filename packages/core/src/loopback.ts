/** Whether a URL's host name is this machine: what is sent there over http crosses no network. */
export function isLoopback(hostname: string): boolean {
  return /^(?:(?:.*\.)?localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}
