const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }
const maxDepth = 32

/**
 * Text for an XML element, or undefined where XML 1.0 has no way to say it: control characters and halves of surrogate pairs.
 * A carriage return goes as a reference, because parsers turn a bare one into a line feed.
 */
export function xmlText(text: string): string | undefined {
  if (!isXmlText(text)) return undefined
  return text.replace(/[&<>"'\r]/g, (found) => {
    const name = Object.keys(entities).find((key) => entities[key] === found)
    return name === undefined ? '&#13;' : `&${name};`
  })
}

/**
 * The text of each element that has no elements inside, by its path of local names: `Envelope/Body/Fault/faultcode`; of
 * several with one path the first. Undefined for what is not well-formed, for undeclared entities, and for document types,
 * which could define some. Not a general reader: namespaces are not looked at, names are ASCII.
 */
export function readXml(xml: string): ReadonlyMap<string, string> | undefined {
  const leaves = new Map<string, string>()
  const open: { name: string; path: string; text: string; leaf: boolean }[] = []
  let rootSeen = false
  let at = xml.startsWith('\uFEFF') ? 1 : 0

  const addText = (text: string | undefined): boolean => {
    const element = open.at(-1)
    if (text === undefined) return false
    if (!element) return text.trim() === ''
    element.text += text
    return true
  }
  const end = (): void => {
    const { path, text, leaf } = open.pop()!
    if (leaf && !leaves.has(path)) leaves.set(path, text)
  }
  /** The end of a construct that begins at `at`, or -1. */
  const after = (start: string, stop: string): number => {
    const found = xml.indexOf(stop, at + start.length)
    return found === -1 ? -1 : found + stop.length
  }

  while (at < xml.length) {
    if (xml[at] !== '<') {
      const next = xml.indexOf('<', at)
      const stop = next === -1 ? xml.length : next
      if (!addText(decoded(xml.slice(at, stop)))) return undefined
      at = stop
    } else if (xml.startsWith('<!--', at) || xml.startsWith('<?', at)) {
      at = xml.startsWith('<?', at) ? after('<?', '?>') : after('<!--', '-->')
      if (at === -1) return undefined
    } else if (xml.startsWith('<![CDATA[', at)) {
      const stop = after('<![CDATA[', ']]>')
      if (stop === -1 || open.length === 0 || !addText(xml.slice(at + 9, stop - 3))) return undefined
      at = stop
    } else if (xml[at + 1] === '/') {
      const name = matchAt(/<\/([\w:.-]+)\s*>/y, xml, at)
      if (!name || open.at(-1)?.name !== name[1]) return undefined
      end()
      at += name[0].length
    } else {
      const tag = matchAt(/<([A-Za-z_][\w:.-]*)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(\/?)>/y, xml, at)
      if (!tag || open.length === maxDepth || (open.length === 0 && rootSeen)) return undefined
      rootSeen = true
      const name = tag[1]!
      const parent = open.at(-1)
      if (parent) parent.leaf = false
      const local = name.slice(name.indexOf(':') + 1)
      open.push({ name, path: parent ? `${parent.path}/${local}` : local, text: '', leaf: true })
      if (tag[2]) end()
      at += tag[0].length
    }
  }
  return rootSeen && open.length === 0 ? leaves : undefined
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** Text with its references resolved, or undefined where one is unknown, broken, or names no character. */
function decoded(text: string): string | undefined {
  let sound = true
  const plain = text.replace(/&([^;&]{0,10};)?/g, (_, reference: string | undefined) => {
    const name = reference?.slice(0, -1) ?? ''
    const [, hex, decimal] = /^#(?:x([\da-fA-F]{1,6})|(\d{1,7}))$/.exec(name) ?? []
    const code = hex !== undefined ? Number.parseInt(hex, 16) : decimal !== undefined ? Number(decimal) : undefined
    const character = code === undefined ? own(entities, name) : code <= 0x10ffff ? String.fromCodePoint(code) : undefined
    if (character !== undefined && isXmlText(character)) return character
    sound = false
    return ''
  })
  return sound && !text.includes(']]>') ? plain : undefined
}

function own(table: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

/** Whether every character is one of XML 1.0's (section 2.2). */
function isXmlText(text: string): boolean {
  return /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u.test(text)
}
