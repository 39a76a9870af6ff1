/** What both kinds of charts are drawn with. */
export const colours = [
  '#1f5fa8',
  '#c0392b',
  '#2e8b57',
  '#8e44ad',
  '#d68910',
  '#16a085',
  '#7f8c8d',
  '#6e2c00',
  '#34495e',
  '#af7ac5',
  '#5d6d7e',
]

export function colour(at: number): string {
  return colours[at % colours.length] ?? '#222'
}

export function line(x1: number, y1: number, x2: number, y2: number, stroke: string, more = ''): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}" ${more}/>`
}

export function text(x: number, y: number, content: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${more}>${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;')
}

export function document(width: number, height: number, title: string, parts: readonly string[]): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    // For who does not see it.
    `<title>${escaped(title)}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    text(20, 28, title, 'font-size="16" font-weight="bold"'),
    ...parts,
    '</svg>',
  ].join('\n')}\n`
}

export function round(value: number): number {
  return Math.round(value * 10) / 10
}
