export { adminHandler } from './admin/handler.js'
export { startAdmin } from './admin/server.js'
export { ServerProcess } from './processes/server-process.js'
export { Registrar } from './registrar/registrar.js'
