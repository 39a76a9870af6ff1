/** Identifiers that look like an org's own. All take the org's seeded generator. */
export type Random = () => number

const lowerAndDigits = 'abcdefghijklmnopqrstuvwxyz0123456789'
const wide = `${lowerAndDigits}ABCDEFGHIJKLMNOPQRSTUVWXYZ`

export function letters(random: Random, length: number, alphabet = wide): string {
  let text = ''
  for (let index = 0; index < length; index += 1) text += alphabet[Math.floor(random() * alphabet.length)]
  return text
}

/** 25 to 30 characters of `[a-z0-9]`, as logged. */
export function clientId(random: Random): string {
  return letters(random, 25 + Math.floor(random() * 6), lowerAndDigits)
}

/** A 15-character record id. */
export function recordId(random: Random, prefix: string): string {
  return `${prefix}${letters(random, 15 - prefix.length, '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ')}`
}

/** The 18-character form: three more letters hold the case of the first fifteen, five bits each. */
export function eighteen(id: string): string {
  let suffix = ''
  for (let block = 0; block < 3; block += 1) {
    let bits = 0
    for (let index = 0; index < 5; index += 1) {
      const letter = id[block * 5 + index] ?? ''
      if (letter >= 'A' && letter <= 'Z') bits |= 1 << index
    }
    suffix += 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'[bits]
  }
  return id.slice(0, 15) + suffix
}

export function uuid(random: Random): string {
  const hex = letters(random, 32, '0123456789abcdef')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`
}

/** 32 bits of FNV-1a as eight hexadecimal digits: names a secret in records without giving it away. */
export function shortHash(text: string): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}

/** A schema id: 22 characters, the same for the same name and version. */
export function schemaId(name: string, version = 0): string {
  const parts = [0, 1, 2].map((part) => shortHash(`${part}:${version}:${name}`))
  return parts.join('').slice(0, 22)
}
