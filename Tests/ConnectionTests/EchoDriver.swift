// A toy protocol with everything that a real one asks of the pump, and nothing else.

import Synchronization

@testable import Connection

/// Lines: `echo …`, `big N`, `tls`, `ask N`, `later`, `surrender`, `quit`; what the machine forgets at `tls` is its buffer.
final class EchoDriver: SessionDriver {
    typealias Answer = [UInt8]

    /// What tests watch from outside.
    final class Log: Sendable {
        struct State {
            var endings: [Ending] = []
            var received = 0
            var waiting: [ReplyAddress<[UInt8]>] = []
            var arrivals: [Arrival] = []
            var secured = 0
        }
        let state = Mutex(State())
        var endings: [Ending] { state.withLock { $0.endings } }
        var received: Int { state.withLock { $0.received } }
    }

    let log: Log
    let pool: WorkerPool?
    let silence: Duration?
    var input: [UInt8] = []
    var pending: [Step] = []
    var isWaiting = false
    enum Step { case say([UInt8]), big(Int), tls, ask(Int), later, surrender, quit }

    init(_ arrival: Arrival, log: Log, pool: WorkerPool? = nil, silence: Duration? = nil) {
        self.log = log
        self.pool = pool
        self.silence = silence
        log.state.withLock { $0.arrivals.append(arrival) }
    }

    var wantsInput: Bool { !isWaiting && pending.isEmpty }

    func opened(_ wire: Wire<[UInt8]>) {
        wire.limitSilence(to: silence)
        pending.append(.say(Array((wire.tls == nil ? "hello\r\n" : "hello tls\r\n").utf8)))
    }

    func received(_ bytes: ArraySlice<UInt8>) {
        log.state.withLock { $0.received += bytes.count }
        input += bytes
        parse()
    }

    private func parse() {
        while let end = input.firstIndex(of: 0x0A) {
            let line = String(decoding: input[..<end].filter { $0 != 0x0D }, as: UTF8.self)
            input.removeFirst(end + 1)
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            switch words.first {
            case "echo": pending.append(.say(Array(((words.count > 1 ? words[1] : "") + "\r\n").utf8)))
            case "big": pending.append(.big(Int(words.count > 1 ? words[1] : "") ?? 0))
            case "tls":
                pending += [.say(Array("begin\r\n".utf8)), .tls]
                input = []
                return
            case "ask": pending.append(.ask(Int(words.count > 1 ? words[1] : "") ?? 0))
            case "later": pending.append(.later)
            case "surrender": pending.append(.surrender)
            case "quit": pending += [.say(Array("bye\r\n".utf8)), .quit]
            default: pending.append(.say(Array("what?\r\n".utf8)))
            }
        }
        if input.count > 4096 { input = [] }
    }

    func step(_ wire: Wire<[UInt8]>) -> Bool {
        guard !isWaiting, !pending.isEmpty else { return false }
        switch pending.removeFirst() {
        case .say(let bytes): wire.send(bytes)
        case .big(let count):
            wire.send([UInt8](repeating: 0x78, count: min(count, 4096)))
            if count > 4096 { pending.insert(.big(count - 4096), at: 0) }
        case .tls: wire.startTLS()
        case .ask(let number):
            isWaiting = true
            if let pool { wire.ask(pool) { Array("answer \(number)\r\n".utf8) } }
        case .later:
            isWaiting = true
            let address = wire.replyAddress
            log.state.withLock { $0.waiting.append(address) }
        case .surrender: wire.surrender { _, _ in true }
        case .quit: wire.close()
        }
        return true
    }

    func answered(_ answer: [UInt8]) {
        isWaiting = false
        pending.insert(.say(answer), at: 0)
    }
    func secured(_ tls: TLSFacts) { log.state.withLock { $0.secured += 1 } }
    func deadlinePassed() { pending += [.say(Array("too slow\r\n".utf8)), .quit] }
    func shutdownRequested() { pending += [.say(Array("going\r\n".utf8)), .quit] }
    func ended(_ ending: Ending) { log.state.withLock { $0.endings.append(ending) } }
}
