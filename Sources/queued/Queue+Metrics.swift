// What the queue says of itself to Prometheus.

import Kernel
import SpoolFormat

extension Queue {
    /// `accepted`: messages that queued itself took responsibility for.
    func add(to page: inout MetricsPage, accepted: Int, now: WallTime) {
        page.add(.accepted, accepted)
        page.add(.queued, messages.count)
        let oldest = messages.values.lazy.map(\.accepted.seconds).min()
        page.add(.oldest, oldest.map { max(0, Int(now.seconds - $0)) } ?? 0)
    }
}
