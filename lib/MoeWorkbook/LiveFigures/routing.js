// What the library's routers, capacities and load statistics compute.

function softmax(logits) {
  var largest = Math.max.apply(null, logits), sum = 0;
  var powers = Array.from(logits, function (logit) { var power = Math.exp(logit - largest); sum += power; return power; });
  return powers.map(function (power) { return power / sum; });
}

// The places of the k largest, best first; of equal ones the first wins.
function topK(scores, k) {
  return Array.from(scores, function (_, i) { return i; }).sort(function (a, b) { return scores[b] - scores[a] || a - b; }).slice(0, k);
}

function sum(numbers) {
  return numbers.reduce(function (total, number) { return total + number; }, 0);
}

// One token: the scores of all experts, the k chosen and their weights.
function route(logits, k, kind, normalized) {
  var scores = kind === "sigmoid" ? logits.map(function (logit) { return 1 / (1 + Math.exp(-logit)); }) : softmax(logits);
  var experts = topK(scores, k), weights = experts.map(function (expert) { return scores[expert]; }), total = normalized ? sum(weights) : 1;
  return { scores: scores, experts: experts, weights: weights.map(function (weight) { return weight / total; }) };
}

// The assignments of tokens with k experts each, in the order in which they ask for room.
function queue(tokens, policy, permutation) {
  var k = tokens[0].experts.length;
  var all = tokens.flatMap(function (token, t) {
    return token.experts.map(function (expert, choice) { return { token: t, choice: choice, expert: expert, weight: token.weights[choice] }; });
  });
  if (policy === "random") return permutation.map(function (i) { return all[i]; });
  function first(assignment) { return Math.max.apply(null, tokens[assignment.token].weights); }
  return all.sort(function (a, b) {
    return a.choice - b.choice || (policy === "priority" ? first(b) - first(a) : 0) || a.token - b.token;
  });
}

function capacityOf(factor, assignments, experts) {
  return Math.min(assignments, Math.ceil(factor * assignments / experts));
}

// Gives each assignment of the queue its place in its expert's buffer; without room it is not kept.
function fill(queued, experts, capacity) {
  var taken = new Array(experts).fill(0);
  queued.forEach(function (assignment) {
    assignment.kept = taken[assignment.expert] < capacity;
    if (assignment.kept) assignment.place = taken[assignment.expert]++;
  });
  return queued;
}

function loadOf(assignments, experts) {
  var load = new Array(experts).fill(0);
  assignments.forEach(function (assignment) { load[assignment.expert]++; });
  return load;
}

// MaxVio: how far the largest load is above the mean, in means.
function maxViolation(load) {
  var total = sum(load);
  return total === 0 ? 0 : Math.max.apply(null, load) * load.length / total - 1;
}
