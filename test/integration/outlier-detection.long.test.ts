import { POLICIES } from '../../src/policies/index.js'
import { testOutlierDetection } from '../support/outlier-detection.js'

testOutlierDetection(POLICIES.map(({ name }) => name))
