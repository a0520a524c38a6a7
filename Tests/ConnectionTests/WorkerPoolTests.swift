// Work that strangers ask for: bounded while it waits, and not begun for who is gone.

import Glibc
import Synchronization
import Testing

@testable import Connection

/// A thread that stands still until it is let go.
final class Gate: Sendable {
    private let isOpen = Atomic<Bool>(false)
    let entered = Atomic<Int>(0)

    func pass() {
        entered.add(1, ordering: .relaxed)
        while !isOpen.load(ordering: .acquiring) { usleep(1000) }
    }
    func open() { isOpen.store(true, ordering: .releasing) }
}

@Suite(.serialized) struct WorkerPoolTests {
    @Test func offeredWorkIsRefusedWhileTooMuchWaitsAndTakenAgainAfterwards() {
        let pool = WorkerPool(threads: 1, mostOffered: 2)
        let gate = Gate()
        defer {
            gate.open()
            pool.stop()
        }
        let done = Mutex<[Int]>([])
        #expect(pool.offer { gate.pass() })
        #expect(eventually { gate.entered.load(ordering: .relaxed) == 1 })
        let taken = (1...4).map { number in pool.offer { done.withLock { $0.append(number) } } }
        #expect(taken == [true, true, false, false])
        // A connection's own work has its connection as its bound.
        pool.submit { done.withLock { $0.append(9) } }
        gate.open()
        #expect(eventually { done.withLock { $0 } == [1, 2, 9] })
        #expect(pool.offer { done.withLock { $0.append(5) } })
        #expect(eventually { done.withLock { $0 } == [1, 2, 9, 5] })
    }

    @Test func anAddressKnowsThatItsConnectionIsGone() throws {
        let bench = Bench()
        let client = try bench.greeted()
        client.write("later\r\n")
        #expect(eventually { bench.log.state.withLock { $0.waiting.count } == 1 })
        let address = try #require(bench.log.state.withLock { $0.waiting.first })
        #expect(!address.isGone)
        var linger = [Int32(1), 0]
        setsockopt(client.raw, SOL_SOCKET, SO_LINGER, &linger, 8)
        let null = open("/dev/null", O_RDONLY)
        dup2(null, client.raw)
        close(null)
        #expect(eventually { bench.log.endings.count == 1 })
        #expect(address.isGone)
    }
}

/// One account; a check stands still until it is let go. What was tried is kept.
final class SlowChecker: LoginChecker {
    typealias Exchange = Int
    typealias Account = String

    let gate = Gate()
    let tried = Mutex<[String]>([])
    let verdicts = Mutex<[String]>([])

    func begin(_ start: AuthenticationStart) -> (Int?, LoginVerdict<String>) {
        tried.withLock { $0.append(String(decoding: start.mechanism, as: UTF8.self)) }
        gate.pass()
        return (nil, .accepted("alice"))
    }
    func respond(_ response: [UInt8], to exchange: Int) -> (Int?, LoginVerdict<String>) { (nil, .malformed) }
    func concluded(_ start: AuthenticationStart, _ exchange: Int?, _ verdict: LoginVerdict<String>) -> Int {
        verdicts.withLock { $0.append("\(verdict)") }
        return 1
    }
}

@Suite(.serialized) struct LoginDeskTests {
    private let arrival = Arrival(role: "gate", peer: .unknown, local: .unknown)

    private func start(_ name: String) -> AuthenticationStart {
        AuthenticationStart(arrival: arrival, tls: nil, mechanism: Array(name.utf8), initialResponse: nil)
    }

    @Test func loginsBeyondTheBoundAreUnavailableAndThoseOfTheGoneAreNotTried() throws {
        let pair = try #require(FrontChannel.pair())
        let (checker, pool, loops) = (SlowChecker(), WorkerPool(threads: 1, mostOffered: 2), LoopGroup())
        let desk = LoginDesk(channel: pair.session, checker: checker, workers: pool, loops: loops, failureDelay: .zero)
        let door = FrontDoor(adopting: pair.front)
        let replies = Mutex<[String]>([])
        desk.start(handedOver: { close($0.raw) }, noted: { _ in }, ended: {})
        door.start(drain: {}, ended: {})
        func begin(_ name: String) -> FrontID { door.begin(start(name)) { reply in replies.withLock { $0.append("\(name) \(reply)") } } }

        _ = begin("first")
        #expect(eventually { checker.gate.entered.load(ordering: .relaxed) == 1 })
        let gone = begin("gone")
        _ = begin("third")
        _ = begin("fourth")
        #expect(eventually { replies.withLock { $0 } == ["fourth failure(code: 3, [])"] })
        #expect(checker.verdicts.withLock { $0 } == ["unavailable(reason: \"too many logins wait\")"])
        door.abandon(gone)
        // What comes after it on the channel has been answered, so the desk has read it.
        _ = begin("fifth")
        #expect(eventually { replies.withLock { $0.count } == 2 })
        checker.gate.open()
        #expect(eventually { replies.withLock { $0.count } == 4 })
        #expect(checker.tried.withLock { $0 } == ["first", "third"])
        _ = begin("sixth")
        #expect(eventually { checker.tried.withLock { $0 } == ["first", "third", "sixth"] })
        #expect(eventually { replies.withLock { $0.last } == "sixth success([])" })
        door.close()
        loops.stop()
        pool.stop()
    }
}
