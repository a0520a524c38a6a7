// The runner itself: a transcript that is wrong must fail, at its line; otherwise golden files prove nothing.

import Glibc
import MailTestKit
import Testing

struct TranscriptRunnerTests {
    private func failure(_ text: String) throws -> String? {
        try Transcript(name: "t", text: text).failure(in: SMTPWorld.self)?.description
    }

    private let greeting = "S: 220 mx.example.org …\n"

    @Test(arguments: [
        ("S: 220 other", "t.txt:1: expected"), ("S: 220 mx.example.org ESMTP", "t.txt:1: expected"),
        ("C: NOOP", "t.txt:1: unexpected"),
        ("S: 220 …\nC: NOOP", "t.txt:2: unexpected"), ("S: 220 …\nS: 250 …", "t.txt:2: expected “250 ”…, got nothing"),
        ("S: 220 …\nthen: queue 1", "t.txt:2: 0 messages"),
        ("S: 220 …\nthen: closed", "t.txt:2: the connection is open"),
        ("S: 220 …\nC: QUIT\nS: 221 …\nthen: open", "t.txt:4: the connection is closed"),
        ("S~ 22* SMTQ*", "t.txt:1: expected"),
        ("S: 220 …\nthen: sender 1 <>", "t.txt:2: no such message"),
    ])
    func wrongTranscriptsFail(text: String, failure wanted: String) throws {
        let found = try failure(text)
        #expect(found?.hasPrefix(wanted) == true, "\(found ?? "passed")")
    }

    @Test(arguments: [
        "S~ 220 mx.* ESMTP*", "S~ 220*E*P*", "S: 220 mx.example.org ESMTP Martlet",
        "S: 220 mx.example.org ESMTP Martlet…",
    ])
    func patternsMatch(line: String) throws { #expect(try failure(line) == nil) }

    @Test(arguments: [
        "", "# only\n", "X: what", "S 220", "C! \\q", "C! \\x4", "C! \\r{x}", "with:", "S: x\nwith: tls",
        "with: nonsense\nS: 220 …", "S: 220 …\nthen: closed\nC: x",
    ])
    func whatIsNotUnderstoodThrows(text: String) { #expect(throws: TranscriptFailure.self) { try failure(text) } }

    @Test func escapesAreRead() {
        #expect(Transcript.unescape("a\\r\\n\\t\\0\\\\\\xfF\\x61{3}") == [97, 13, 10, 9, 0, 92, 255, 97, 97, 97])
    }

    /// The same files over a real connection, served by the same machine: what fails here is the socket runner.
    @Test func transcriptsRunOverASocket() throws {
        let playable = try (Transcript.all(in: "smtp") + Transcript.all(in: "submission")).filter { transcript in
            !transcript.isMemoryOnly
                && transcript.steps.allSatisfy { step in
                    if case .event(.tls) = step.action { return false }
                    return step.connection == 1
                }
        }
        #expect(playable.count > 50)
        for transcript in playable {
            let server = try LoopbackServer(settings: transcript.settings)
            let failure = try transcript.failure(over: { _ in try SocketStream(port: server.port) })
            #expect(failure == nil)
        }
    }

    @Test func theSocketRunnerNoticesWhatIsWrong() throws {
        for (text, wanted) in [
            ("S: 221 …", "t.txt:1: expected"), ("S: 220 …\nC: QUIT\nS: 221 …\nS: 250 …", "t.txt:4: expected"),
        ] {
            let transcript = try Transcript(name: "t", text: text)
            let server = try LoopbackServer(settings: [])
            let found = try transcript.failure(over: { _ in try SocketStream(port: server.port) })?.description
            #expect(found?.hasPrefix(wanted) == true)
        }
    }
}

/// Serves one connection on a thread of its own, with an `SMTPWorld` behind it.
private struct LoopbackServer {
    let port: UInt16

    private final class Job {
        let listener: Int32
        var world: SMTPWorld
        init(listener: Int32, world: SMTPWorld) { (self.listener, self.world) = (listener, world) }
    }

    init(settings: [Transcript.Setting]) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length)
                listen(listener, 1)
                getsockname(listener, pointer, &length)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        let job = Unmanaged.passRetained(Job(listener: listener, world: try SMTPWorld(settings)))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                if let argument { LoopbackServer.serve(Unmanaged<Job>.fromOpaque(argument).takeRetainedValue()) }
                return nil
            }, job.toOpaque())
        try #require(result == 0)
        pthread_detach(thread)
    }

    private static func serve(_ job: Job) {
        let client = accept(job.listener, nil, nil)
        defer {
            close(client)
            close(job.listener)
        }
        job.world.connected(1)
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let output = job.world.output(of: 1)
            if !output.isEmpty { send(client, output, output.count, Int32(MSG_NOSIGNAL)) }
            if job.world.isClosed(1) { return lingeringClose(client, &buffer) }
            let count = recv(client, &buffer, buffer.count, 0)
            if count > 0 { job.world.received(buffer[..<count], on: 1) } else { job.world.happened(.endOfFile, on: 1) }
        }
    }

    /// Reads what is under way, so that our last reply is not lost to a reset.
    private static func lingeringClose(_ client: Int32, _ buffer: inout [UInt8]) {
        shutdown(client, Int32(SHUT_WR))
        while recv(client, &buffer, buffer.count, 0) > 0 {}
    }
}
