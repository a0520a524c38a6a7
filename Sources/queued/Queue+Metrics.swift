// What the queue says of itself to Prometheus.

import Kernel
import SpoolFormat

extension Queue {
    /// `accepted`: messages that queued itself took responsibility for.
    mutating func add(to page: inout MetricsPage, accepted: Int, now: WallTime) {
        page.add(.accepted, accepted)
        page.add(.queued, messages.count)
        // Whoever was the oldest is it until he is done, so that a queue that rests is not looked through.
        if oldest.map({ messages[$0] == nil }) ?? true { oldest = messages.values.min { $0.accepted < $1.accepted }?.id }
        page.add(.oldest, oldest.flatMap { messages[$0] }.map { max(0, Int(now.seconds - $0.accepted.seconds)) } ?? 0)
    }
}
