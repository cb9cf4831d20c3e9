import { testOutlierDetection } from '../support/outlier-detection.js'

// One policy of each kind: in turns, random, and by load. The long tests cover all.
testOutlierDetection(['weighted_round_robin', 'random', 'least_request'])
