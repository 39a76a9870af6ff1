/** Nobody wants more: Ctrl-C, or the reader of the output has gone. Nothing is wrong, and the exit status is 0. */
export class Stopped extends Error {
  constructor() {
    super('Stopped before the end.')
    this.name = 'Stopped'
  }
}
