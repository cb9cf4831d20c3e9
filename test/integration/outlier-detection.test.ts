import { testOutlierDetection } from '../support/outlier-detection.js'

// One of each kind: by turns, by chance, by what is under way. The long suite has all.
testOutlierDetection(['weighted_round_robin', 'random', 'least_request'])
