import { COMMANDS, describeExamples, QUICK_EXAMPLES } from '../support/help-examples.js'

describeExamples(COMMANDS.filter((command) => !QUICK_EXAMPLES.includes(command)))
