/** A consumer at work: busy, as parsing, hashing or rendering is. */
export function spin(us: number): void {
  const until = performance.now() + us / 1_000
  while (performance.now() < until);
}
