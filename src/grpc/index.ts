export { channelOptions } from './channel-options.js'
export { install } from './install.js'
export { setHashKey, setPin } from './picker.js'
