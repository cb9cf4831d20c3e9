import http from 'node:http'
import net from 'node:net'
import tls from 'node:tls'
import { checkHealth } from './src/grpc/health-check.ts'
import { tcpProbe } from './src/agent/probes/tcp.ts'
import { httpProbe } from './src/agent/probes/http.ts'
import { startGreeter } from './src/dev/greeter.ts'
const h = http.createServer((q,r)=>{r.statusCode=q.url==='/bad'?503:200; r.end('x'.repeat(100000))}).listen(0,'127.0.0.1'); await new Promise(r=>h.once('listening',r))
const m = net.createServer((s)=>{s.on('error',()=>{})}).listen(0,'127.0.0.1'); await new Promise(r=>m.once('listening',r))
const c = net.createServer((s)=>s.destroy()).listen(0,'127.0.0.1'); await new Promise(r=>c.once('listening',r))
const g = await startGreeter({port:0})
for (const a of ['127.0.0.1:1','127.0.0.1:'+h.address().port,'127.0.0.1:'+m.address().port,'127.0.0.1:'+c.address().port,'unix:/nope','nohost.invalid:80','[::1]:1','192.0.2.1:80',g.addr]) {
  console.log(a, JSON.stringify(await checkHealth(a,{deadlineMs:700})), JSON.stringify(await tcpProbe(a)(700)))
}
for (const u of [`http://127.0.0.1:${h.address().port}/`,`http://127.0.0.1:${h.address().port}/bad`,'http://127.0.0.1:1/',`http://127.0.0.1:${m.address().port}/`,`http://127.0.0.1:${c.address().port}/`,`https://127.0.0.1:${h.address().port}/`]) console.log(u, JSON.stringify(await httpProbe(new URL(u))(700)))
g.stop(); h.close(); m.close(); c.close(); console.log(process.getActiveResourcesInfo())
