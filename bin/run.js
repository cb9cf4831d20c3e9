#!/usr/bin/env node
const { start } = require('../dist/bundle/start.cjs')

start(require.resolve('../dist/bundle/disco.cjs'), require)
