// Limits, back-pressure, drain and exhaustion: what keeps one peer from costing the others.

import Glibc
import Synchronization
import Testing

@testable import Connection

@Suite(.serialized) struct LimitTests {
    @Test func aPeerOverItsLimitReadsWhyAndTheFirstOnesGoOn() throws {
        let bench = Bench(limits: ConnectionLimits(total: 10, perPeer: 2))
        let first = try bench.greeted()
        let second = try bench.greeted()
        let third = try bench.client()
        #expect(third.line() == "refused tooManyFromPeer")
        #expect(third.line() == nil)
        second.write("quit\r\n")
        #expect(second.line() == "bye")
        shutdown(second.raw, Int32(SHUT_RDWR))
        #expect(eventually { bench.service.connectionCount == 1 })
        _ = try bench.greeted()
        first.write("echo here\r\n")
        #expect(first.line() == "here")
    }

    @Test func theTotalIsALimitToo() throws {
        let bench = Bench(limits: ConnectionLimits(total: 1, perPeer: 5))
        let first = try bench.greeted()
        #expect(try bench.client().line() == "refused tooMany")
        _ = first
    }

    @Test(arguments: [
        ("2001:db8::1", "2001:db8::ffff:1", true), ("2001:db8::1", "2001:db8:0:1::1", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("::1", "0.0.0.1", false),
    ])
    func peersAreCountedByHostOrNetwork(_ a: String, _ b: String, _ same: Bool) throws {
        let one = try #require(SocketName(address: Array(a.utf8), port: 25).socketAddress)
        let two = try #require(SocketName(address: Array(b.utf8), port: 26).socketAddress)
        #expect((PeerKey(one) == PeerKey(two)) == same)
    }

    @Test(arguments: [("::ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8::1", "2001:db8::1"), ("fe80::1", "fe80::1")])
    func addressesHaveOneText(_ given: String, _ text: String) throws {
        let socket = try #require(SocketName(address: Array(given.utf8), port: 1).socketAddress)
        #expect(SocketName(socket).address == Array(text.utf8))
    }

    @Test func aSlowReaderIsNotPulledFor() throws {
        let bench = Bench()
        let client = try #require(TestClient(port: bench.listener.port, receiveBuffer: 4096))
        #expect(client.line() == "hello")
        let before = residentBytes()
        client.write("big 400000000\r\n")
        usleep(500_000)
        #expect(residentBytes() - before < 40_000_000)
        let other = try bench.greeted()
        other.write("echo meanwhile\r\n")
        #expect(other.line() == "meanwhile")
    }

    @Test func aPeerThatNeverReadsIsCut() throws {
        let bench = Bench(silence: .milliseconds(200))
        let client = try #require(TestClient(port: bench.listener.port, receiveBuffer: 4096))
        #expect(client.line() == "hello")
        client.write("big 400000000\r\n")
        #expect(eventually { bench.log.endings == [.stalled] })
    }

    /// A hand-over waits for what was sent to leave, and not for ever: the dialogue's limits are over by then.
    @Test func whoNeverReadsIsCutWhereItsSocketIsToBeHandedOver() throws {
        let bench = Bench()
        var size: Int32 = 4096
        setsockopt(bench.listener.raw, SOL_SOCKET, SO_SNDBUF, &size, 4)
        // More than the kernel takes, less than what would keep the machine from its next step.
        let clients = try stride(from: 30_000, through: 70_000, by: 10_000).map { count in
            let client = try #require(TestClient(port: bench.listener.port, receiveBuffer: 4096))
            #expect(client.line() == "hello")
            client.write("big \(count)\r\nsurrender\r\n")
            return client
        }
        #expect(eventually { bench.log.endings.contains(.stalled) })
        #expect(clients.count == 5)
    }

    @Test func inputWaitsWhileTheMachineDoes() throws {
        let bench = Bench()
        let client = try bench.greeted()
        client.write("later\r\n")
        #expect(eventually { bench.log.state.withLock { $0.waiting.count } == 1 })
        _ = fcntl(client.raw, F_SETFL, O_NONBLOCK)
        var sent = 0
        let block = [UInt8](repeating: 0x61, count: 65536)
        for _ in 0..<2000 {
            let count = send(client.raw, block, block.count, Int32(MSG_NOSIGNAL))
            if count > 0 { sent += count } else { usleep(1000) }
        }
        #expect(sent < 60_000_000)
        #expect(bench.log.received < 200_000)
    }

    @Test func aDrainEndsSessionsAndLeavesTheQueueToTheSuccessor() throws {
        let bench = Bench()
        let client = try bench.greeted()
        let report = Mutex<DrainReport?>(nil)
        bench.service.drain { done in report.withLock { $0 = done } }
        #expect(client.line() == "going")
        #expect(client.line() == nil)
        shutdown(client.raw, Int32(SHUT_RDWR))
        #expect(eventually { report.withLock { $0 } == DrainReport(cut: 0) })
        let waiting = try bench.client()
        waiting.write("echo queued\r\n")
        let successor = Bench()
        successor.service.listen(on: bench.listener.raw, role: ListenerRole("echo"))
        #expect(waiting.line() == "hello")
        #expect(waiting.line() == "queued")
    }

    @Test func aDrainCutsWhoStays() throws {
        let bench = Bench()
        let client = try bench.greeted()
        client.write("later\r\n")
        #expect(eventually { bench.log.state.withLock { $0.waiting.count } == 1 })
        let report = Mutex<DrainReport?>(nil)
        bench.service.drain(within: .milliseconds(100)) { done in report.withLock { $0 = done } }
        #expect(eventually { report.withLock { $0 } == DrainReport(cut: 1) })
        #expect(bench.log.endings == [.drained])
    }

    @Test func withoutDescriptorsAcceptingPausesAndResumes() throws {
        let bench = Bench()
        let first = try bench.greeted()
        let waiting = try bench.client()
        #expect(waiting.line() == "hello")
        let late: TestClient
        do {
            var hoard: [Int32] = []
            var old = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old)
            defer {
                setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old)
                for raw in hoard { close(raw) }
            }
            let reserved = dup(0)
            var low = rlimit(rlim_cur: rlim_t(reserved) + 8, rlim_max: old.rlim_max)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &low)
            while case let raw = dup(0), raw >= 0 { hoard.append(raw) }
            close(reserved)
            late = try bench.client()
            #expect(eventually { bench.troubles.count > 0 })
            first.write("echo during\r\n")
            #expect(first.line() == "during")
            // What a spin would do a thousand times.
            let troubles = bench.troubles.count
            usleep(300_000)
            #expect(bench.troubles.count - troubles <= 2)
        }
        #expect(late.line() == "hello")
    }
}

/// The resident memory of this process.
func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 200)
    guard fgets(&line, 200, file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4096
}
