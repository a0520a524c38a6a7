// Threads that share a job: every item once, no two threads with one worker's number, and nobody returns too early.

import Kernel
import MailTestKit
import Synchronization
import Testing

@Suite struct WorkCrewTests {
    private final class Tally: Sendable {
        let items: Mutex<[Int: Int]> = Mutex([:])
        let busy: Mutex<Set<Int>> = Mutex([])
        let clashes = Atomic<Int>(0)
        let finished = Atomic<Int>(0)
    }

    @Test(arguments: [1, 2, 5]) func eachItemIsDoneOnce(_ size: Int) {
        let crew = WorkCrew(size: size)
        for count in [0, 1, 2, 7, 100] {
            let tally = Tally()
            crew.forEach(count) { worker, item in
                if worker < 0 || worker >= size || !tally.busy.withLock({ $0.insert(worker).inserted }) { tally.clashes.add(1, ordering: .relaxed) }
                tally.items.withLock { $0[item, default: 0] += 1 }
                if item % 7 == 0 { pause(milliseconds: 1) }
                tally.busy.withLock { _ = $0.remove(worker) }
                tally.finished.add(1, ordering: .sequentiallyConsistent)
            }
            #expect(tally.finished.load(ordering: .sequentiallyConsistent) == count, "it returned before all were done")
            #expect(tally.items.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, 1) }))
            #expect(tally.clashes.load(ordering: .relaxed) == 0)
        }
    }

    @Test func manyShortJobsLoseNoWakeUp() {
        let crew = WorkCrew(size: 3)
        let done = Tally()
        for _ in 0..<2000 { crew.forEach(2) { _, _ in done.finished.add(1, ordering: .relaxed) } }
        #expect(done.finished.load(ordering: .relaxed) == 4000)
    }

    @Test func aCrewHasAtLeastOneThread() { #expect(WorkCrew(size: 0).size == 1) }
}

@Suite struct MonitorTests {
    private final class Table: Sendable {
        let monitor = Monitor()
        let state = Mutex((turn: 0, log: [Int]()))
    }

    @Test func threadsTakeTurns() {
        let table = Table()
        for player in 0..<2 {
            startThread {
                for round in 0..<50 {
                    table.monitor.lock()
                    while table.state.withLock({ $0.turn % 2 != player }) { table.monitor.wait() }
                    table.state.withLock { state in
                        state.log.append(player)
                        state.turn += 1
                    }
                    _ = round
                    table.monitor.signalAll()
                    table.monitor.unlock()
                }
            }
        }
        table.monitor.lock()
        while table.state.withLock({ $0.turn < 100 }) { table.monitor.wait() }
        table.monitor.unlock()
        #expect(table.state.withLock { $0.log } == (0..<100).map { $0 % 2 })
    }

    @Test func aWaitEndsWithoutASignal() {
        let monitor = Monitor()
        let before = MonotonicTime.now()
        monitor.lock()
        monitor.wait(milliseconds: 5)
        monitor.wait(milliseconds: 1001)
        monitor.unlock()
        #expect(MonotonicTime.now() - before >= .milliseconds(1), "and it does wait")
    }

    @Test func aWakeupIsSeenOnceAndMayBeGivenBefore() throws {
        let wakeup = try Wakeup()
        #expect(waitReadable([wakeup.descriptor.raw], milliseconds: 0).isEmpty)
        wakeup.signal()
        wakeup.signal()
        #expect(waitReadable([wakeup.descriptor.raw], milliseconds: 1000) == [0])
        wakeup.clear()
        #expect(waitReadable([wakeup.descriptor.raw], milliseconds: 0).isEmpty)
    }

    @Test func aWatchFiresForItsFolder() throws {
        let tree = TemporarySpool([])
        tree.makeFolder("one")
        tree.makeFolder("two")
        let inotify = try Inotify()
        let one = try inotify.watch(Path(tree.path + "/one"), for: [.modified, .movedTo])
        let two = try inotify.watch(Path(tree.path + "/two"), for: [.modified, .movedTo])
        #expect(inotify.drain().isEmpty)
        tree.write(bytes("x"), "two/file")
        #expect(waitReadable([inotify.descriptor.raw], milliseconds: 1000) == [0])
        #expect(inotify.drain() == [two])
        tree.move("two/file", to: "one/file")
        #expect(inotify.drain() == [one])
        inotify.remove(one)
        #expect(inotify.drain().count <= 1)
        tree.append(bytes("y"), "one/file")
        #expect(inotify.drain().isEmpty)
    }
}

@Suite struct ClockTests {
    @Test func timesAddUp() {
        #expect(WallTime(seconds: 5).adding(seconds: -7).seconds == -2)
        #expect(WallTime(seconds: 1) < WallTime(nanoseconds: 1_000_000_001))
        #expect(MonotonicTime(nanoseconds: 5) - MonotonicTime(nanoseconds: 2) == .nanoseconds(3))
        #expect(MonotonicTime(nanoseconds: 0).adding(milliseconds: 2).nanoseconds == 2_000_000)
        _ = WallTime(seconds: .max)
    }

    @Test func timeGoesForward() {
        let earlier = MonotonicTime.now()
        #expect(MonotonicTime.now() >= earlier)
        #expect(WallTime.now().seconds > 1_700_000_000)
    }

    @Test func randomBytesDiffer() throws {
        #expect(try Randomness.bytes(16) != Randomness.bytes(16))
        #expect(try Randomness.bytes(0) == [] && Randomness.bytes(1000).count == 1000)
    }
}
