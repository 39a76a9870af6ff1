import { bareLoop, deadlineMs, type Post } from './bare-loop.ts'

export const post: Post = async (url, headers, body) => {
  // Cheaper than AbortSignal.timeout, whose timers stay until they fire.
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), deadlineMs)
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal: controller.signal })
    return { text: await response.text(), cookie: () => response.headers.getSetCookie()[0]?.split(';')[0] }
  } finally {
    clearTimeout(timer)
  }
}

export const connect = bareLoop(post)
