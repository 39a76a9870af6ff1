import { defineConfig } from 'vite'

// The org sends no CORS headers, so the page reaches it through its own origin; so must it in production. `/session` is yours:
// it answers with { accessToken, instanceUrl } for whoever is signed in.
const org = 'https://acme.my.salesforce.com'

export default defineConfig({
  base: './',
  server: {
    proxy: {
      '/cometd': { target: org, changeOrigin: true, cookieDomainRewrite: '', cookiePathRewrite: '/cometd' },
      '/session': 'http://127.0.0.1:3000',
    },
  },
})
