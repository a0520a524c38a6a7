// How many connections a destination may have at a time, by how it fares. Pure.
//
// What is down is remembered here only as long as its lane has work. The memory that lasts is queued's: it hears `unreached`, lets one copy ask,
// and assigns none of the others meanwhile.

/// What an attempt says of its destination, beside the message.
enum Reach: Sendable {
    /// A server has spoken of the message.
    case reached
    /// None could be connected to, or none would begin a session.
    case unreached
    /// It came to neither.
    case unknown
}

/// The pace of one destination: one connection more after each success, half as many after a failure.
struct Concurrency: Sendable {
    /// A server that nothing is known of gets so many at once.
    static let start = 2
    /// So many attempts in a row that reach nobody speak for those that wait; one may be an accident.
    static let mostFailures = 2

    private(set) var allowed = Concurrency.start
    private var failures = 0

    /// Those that wait would fare no better.
    var isDead: Bool { failures >= Concurrency.mostFailures }

    mutating func note(_ reach: Reach, limit: Int) {
        switch reach {
        case .reached:
            failures = 0
            allowed = min(allowed + 1, max(1, limit))
        case .unreached:
            failures += 1
            allowed = max(1, allowed / 2)
        case .unknown: break
        }
    }
}
