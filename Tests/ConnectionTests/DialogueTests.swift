// The plain dialogue: any cut of the input, many commands at once, questions, half-closed peers, resets.

import Glibc
import Synchronization
import Testing

@testable import Connection

@Suite(.serialized) struct DialogueTests {
    @Test func anyCutOfTheInputGivesTheSameReplies() throws {
        let bench = Bench()
        let script = Array("echo one\r\necho two\r\nask 3\r\necho four\r\n".utf8)
        for size in [1, 2, 3, 7, script.count] {
            let client = try bench.greeted()
            for start in stride(from: 0, to: script.count, by: size) {
                client.write(Array(script[start..<min(start + size, script.count)]))
                if size < 4 { usleep(500) }
            }
            #expect([client.line(), client.line(), client.line(), client.line()] == ["one", "two", "answer 3", "four"])
        }
    }

    @Test func theDriverLearnsWhoCalls() throws {
        let bench = Bench()
        _ = try bench.greeted()
        let arrival = try #require(bench.log.state.withLock { $0.arrivals.first })
        #expect(arrival.peer.address == Array("127.0.0.1".utf8))
        #expect(arrival.local.port == bench.listener.port)
        #expect(arrival.role == ListenerRole("echo"))
    }

    @Test func quitSendsTheLastWordAndCloses() throws {
        let bench = Bench()
        let client = try bench.greeted()
        client.write("quit\r\necho ignored\r\n")
        #expect(client.line() == "bye")
        #expect(client.line() == nil)
        shutdown(client.raw, Int32(SHUT_RDWR))
        #expect(eventually { bench.log.endings == [.closed] })
    }

    @Test func aHalfClosedPeerStillGetsItsAnswers() throws {
        let bench = Bench()
        let client = try bench.greeted()
        client.write("echo a\r\nask 1\r\nbig 300000\r\n")
        client.shutdownWrites()
        #expect(client.line() == "a")
        #expect(client.line() == "answer 1")
        #expect(client.drainToEnd() == 300_000)
        #expect(eventually { bench.service.connectionCount == 0 })
    }

    @Test func aResetEndsOneSessionOnly() throws {
        let bench = Bench()
        let other = try bench.greeted()
        for _ in 0..<20 {
            let client = try bench.greeted()
            client.write("big 1000000\r\n")
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(client.raw, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        }
        #expect(eventually { bench.service.connectionCount == 1 })
        other.write("echo alive\r\n")
        #expect(other.line() == "alive")
    }

    @Test func silenceIsToldToTheMachineAndThenEnds() throws {
        let bench = Bench(silence: .milliseconds(50))
        let client = try bench.greeted()
        #expect(client.line() == "too slow")
        #expect(client.line() == nil)
    }

    @Test func ourOwnSlownessIsNotThePeersSilence() throws {
        let bench = Bench(silence: .milliseconds(50))
        let client = try bench.greeted()
        client.write("later\r\n")
        #expect(eventually { bench.log.state.withLock { $0.waiting.count } == 1 })
        usleep(200_000)
        let address = try #require(bench.log.state.withLock { $0.waiting.first })
        address.deliver(Array("at last\r\n".utf8))
        #expect(client.line() == "at last")
    }

    @Test func oneMailslotAnswersManySessions() throws {
        let bench = Bench()
        let clients = try (0..<50).map { _ in try bench.greeted() }
        for client in clients { client.write("later\r\n") }
        #expect(eventually { bench.log.state.withLock { $0.waiting.count } == 50 })
        var slot = Mailslot<[UInt8]>()
        for address in bench.log.state.withLock({ $0.waiting }) { slot.put(Array("done\r\n".utf8), for: address) }
        slot.send()
        #expect(clients.allSatisfy { $0.line() == "done" })
    }

    @Test func anAnswerForAGoneSessionIsDropped() throws {
        let bench = Bench()
        var client: TestClient? = try bench.greeted()
        client?.write("later\r\n")
        #expect(eventually { bench.log.state.withLock { $0.waiting.count } == 1 })
        if let client { shutdown(client.raw, Int32(SHUT_RDWR)) }
        client = nil
        let address = try #require(bench.log.state.withLock { $0.waiting.first })
        address.deliver([])
        let next = try bench.greeted()
        next.write("echo on\r\n")
        #expect(next.line() == "on")
    }
}
