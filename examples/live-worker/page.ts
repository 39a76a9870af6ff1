/** The page: no library, the browser's own EventSource. */
export function page(channel: string): string {
  return `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Live</title>
  <style>
    body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 44rem; padding: 0 1rem; color: #1c2733; }
    li { border-bottom: 1px solid #dde4ea; list-style: none; padding: 0.4rem 0; font-family: ui-monospace, monospace; font-size: 14px; }
    ol { padding: 0; }
  </style>
  <h1>Live from the org</h1>
  <p id="state">Connecting …</p>
  <ol id="events" reversed></ol>
  <script type="module">
    const show = (text) => {
      const item = document.createElement('li')
      item.textContent = text
      document.getElementById('events').prepend(item)
    }
    const state = document.getElementById('state')
    // An EventSource is not told what a refusal says; the same address without a stream is.
    const reason = async () => {
      try {
        const response = await fetch('/events')
        return response.ok ? undefined : (await response.json()).error.message
      } catch {
        return undefined
      }
    }
    const listen = (cursor) => {
      let failure
      const source = new EventSource('/events?channel=${encodeURIComponent(channel)}&cursor=' + encodeURIComponent(cursor))
      source.addEventListener('subscribed', ({ lastEventId }) => {
        cursor = lastEventId
        failure = undefined
        state.textContent = 'Listening.'
      })
      source.addEventListener('replayGap', ({ data }) => show('Events may be missing: ' + JSON.parse(data).reason))
      source.addEventListener('failed', ({ data }) => {
        failure = JSON.parse(data).error.message
        state.textContent = failure
      })
      source.onerror = async () => {
        // What has failed stays on the page until it listens again.
        state.textContent = failure ?? 'Connecting again …'
        if (source.readyState !== EventSource.CLOSED) return
        // An answer such as 503 has ended it for good: another goes on after the last event.
        setTimeout(listen, 2_000 + 3_000 * Math.random(), cursor)
        state.textContent = (await reason()) ?? state.textContent
      }
      source.onmessage = ({ data, lastEventId }) => {
        cursor = lastEventId
        show(JSON.stringify(JSON.parse(data).data.payload))
      }
    }
    listen('')
  </script>
</html>
`
}
