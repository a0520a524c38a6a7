// What queued says of itself to Prometheus.

import Kernel
import SpoolFormat
import Testing

@testable import queued

@Suite struct MetricsTests {
    private func oldest(_ world: QueueWorld) throws -> String {
        var page = MetricsPage(service: "queued")
        world.queue.add(to: &page, accepted: 0, now: world.now)
        let line = try #require(page.text.split(separator: "\n").first { $0.hasPrefix("martlet_queue_oldest_seconds{") })
        return String(line.split(separator: " ")[1])
    }

    @Test func theOldestIsTheOldestUntilItIsDone() throws {
        let world = QueueWorld()
        #expect(try oldest(world) == "0")
        for number in 1...3 {
            try world.accept(number, to: ["a\(number)@x.example"])
            world.now = world.now.adding(seconds: 100)
        }
        world.route()
        world.assign()
        #expect(try oldest(world) == "300")
        try world.answer(.sent, 2, "a2@x.example")
        #expect(try oldest(world) == "300")
        try world.answer(.sent, 1, "a1@x.example")
        #expect(try oldest(world) == "100")
        try world.answer(.sent, 3, "a3@x.example")
        #expect(try oldest(world) == "0")
    }
}
