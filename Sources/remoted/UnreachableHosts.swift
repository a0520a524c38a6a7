// Hosts that answered nobody lately (RFC 5321 §4.5.4.1 lets a client remember them). Pure: time is an input.
//
// A domain whose first exchanger is down has another: each message would wait for the first in vain before it goes to the second.
// A whole destination that is down is queued's to remember.

import Kernel

/// Which hosts are to be tried last, because they would keep everybody waiting.
struct UnreachableHosts<Host: Hashable & Sendable>: Sendable {
    private struct Rest: Sendable {
        var failures = 0
        var until = MonotonicTime(nanoseconds: 0)
    }

    /// One failure may be an accident.
    private static var mostFailures: Int { 2 }
    private static var mostHosts: Int { 10_000 }

    private var rests: [Host: Rest] = [:]

    /// Takes in how a connection fared. Its rest doubles from `initial` to `maximum` seconds with each failure.
    mutating func note(_ host: Host, isReached: Bool, initial: Int64, maximum: Int64, now: MonotonicTime) {
        if isReached {
            rests[host] = nil
            return
        }
        // So many hosts in trouble are trouble of our own.
        if rests.count >= UnreachableHosts.mostHosts { rests.removeAll() }
        rests[host, default: Rest()].failures += 1
        rest(host, initial, maximum, now)
    }

    private mutating func rest(_ host: Host, _ initial: Int64, _ maximum: Int64, _ now: MonotonicTime) {
        guard let failures = rests[host]?.failures, failures >= UnreachableHosts.mostFailures else { return }
        let pause = min(initial << Int64(min(failures - UnreachableHosts.mostFailures, 20)), maximum)
        rests[host]?.until = now.adding(milliseconds: pause * 1000)
    }

    /// The same targets, those that rest behind the others. Who comes first when a rest is over asks again, and until it is known how that
    /// went nobody else does. A destination of which all rest is tried as it is.
    mutating func ordered<Target>(_ targets: [Target], initial: Int64, maximum: Int64, now: MonotonicTime, host: (Target) -> Host) -> [Target] {
        guard !rests.isEmpty, targets.count > 1 else { return targets }
        var first: [Target] = [], last: [Target] = []
        for target in targets {
            let known = rests[host(target)]
            if let known, known.failures >= UnreachableHosts.mostFailures, known.until > now {
                last.append(target)
            } else {
                first.append(target)
                rest(host(target), initial, maximum, now)
            }
        }
        return first + last
    }
}
