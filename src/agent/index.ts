export { adminHandler } from './admin/handler.js'
export { startAdmin } from './admin/server.js'
export { Registrar } from './registrar.js'
export { ServerProcess } from './server-process.js'
