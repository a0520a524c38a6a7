// "Did you mean": the known name that takes the fewest changes of one letter.

/// The entry of `names` closest to `name`, if it is close enough to be what was meant.
package func nearestName(to name: String, among names: [String]) -> String? {
    let limit = max(1, name.utf8.count / 3)
    let ranked = names.map { (distance: editDistance(Array(name.utf8.prefix(64)), Array($0.utf8)), name: $0) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= limit else { return nil }
    return best.name
}

/// Levenshtein's distance, with one row of memory.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, y) in b.enumerated() {
            let above = row[j + 1]
            row[j + 1] = min(x == y ? diagonal : diagonal + 1, above + 1, row[j] + 1)
            diagonal = above
        }
    }
    return row[b.count]
}
