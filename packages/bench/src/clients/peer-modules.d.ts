// A peer that comes without types: what of it is used here.
declare module 'cometd-nodejs-client' {
  export function adapt(): void
}
