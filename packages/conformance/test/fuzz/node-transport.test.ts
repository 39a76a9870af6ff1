// The same hostility, over the transport of @sfstream/node.
import './over-http.ts'
import './bodies.test.ts'
import './headers.test.ts'
import './replies.test.ts'
import './secrets.test.ts'
import './storms.test.ts'
import './traps.test.ts'
