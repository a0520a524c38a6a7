// The smallest dialogue with a login in it: USER, PASS, STAT, QUIT, STLS. What differs between the shapes is who does what.

import Connection

/// Splits lines and holds the replies; no more protocol than the measurement needs.
struct ToyLines {
    private var input: [UInt8] = []
    mutating func feed(_ bytes: ArraySlice<UInt8>) { input += bytes }
    mutating func next() -> [UInt8]? {
        guard let end = input.firstIndex(of: 0x0A) else { return nil }
        defer { input.removeSubrange(...end) }
        return Array(input[..<end])
    }
    mutating func takeRest() -> [UInt8] {
        defer { input = [] }
        return input
    }
}

/// Shape A: the whole session in one process.
final class WholeDriver: SessionDriver {
    typealias Answer = Bool
    private var lines = ToyLines()
    private let pool: WorkerPool
    private var isWaiting = false
    private var reply: StaticString? = "+OK ready\r\n"

    init(_ pool: WorkerPool) { self.pool = pool }

    var wantsInput: Bool { !isWaiting }
    func opened(_ wire: Wire<Bool>) { wire.limitSilence(to: .seconds(1800)) }
    func received(_ bytes: ArraySlice<UInt8>) { lines.feed(bytes) }
    func step(_ wire: Wire<Bool>) -> Bool {
        if let reply {
            wire.send(reply)
            self.reply = nil
            return true
        }
        guard !isWaiting, let line = lines.next() else { return false }
        switch line.first {
        case UInt8(ascii: "U"): wire.send("+OK\r\n")
        case UInt8(ascii: "P"):
            isWaiting = true
            wire.ask(pool) { line.count > 5 }
        case UInt8(ascii: "Q"):
            wire.send("+OK bye\r\n")
            wire.close()
        default: wire.send("+OK 0 0\r\n")
        }
        return true
    }
    func answered(_ answer: Bool) {
        isWaiting = false
        reply = answer ? "+OK logged in\r\n" : "-ERR\r\n"
    }
    func deadlinePassed() {}
    func shutdownRequested() {}
}

/// Shape B before login, on the front.
final class FrontDriver: SessionDriver {
    typealias Answer = AuthenticationReply
    private var lines = ToyLines()
    private let door: FrontDoor
    private var id: FrontID = 0
    private var isWaiting = false
    private var accepted = false

    init(_ door: FrontDoor) { self.door = door }

    var wantsInput: Bool { !isWaiting }
    func opened(_ wire: Wire<AuthenticationReply>) {
        wire.limitSilence(to: .seconds(60))
        wire.send("+OK ready\r\n")
    }
    func received(_ bytes: ArraySlice<UInt8>) { lines.feed(bytes) }
    func step(_ wire: Wire<AuthenticationReply>) -> Bool {
        if accepted {
            accepted = false
            wire.handOver(id, bytes: lines.takeRest(), through: door)
            return true
        }
        guard !isWaiting, let line = lines.next() else { return false }
        switch line.first {
        case UInt8(ascii: "U"): wire.send("+OK\r\n")
        case UInt8(ascii: "P"):
            isWaiting = true
            let home = wire.replyAddress
            let start = AuthenticationStart(arrival: wire.arrival, tls: wire.tls, mechanism: Array("USER".utf8), initialResponse: line)
            id = door.begin(start) { home.deliver($0) }
        default:
            wire.send("+OK bye\r\n")
            wire.close()
        }
        return true
    }
    func answered(_ answer: AuthenticationReply) {
        if case .success = answer { accepted = true }
    }
    func deadlinePassed() {}
    func shutdownRequested() {}
}

/// Shape B after login, in the session process.
final class AfterDriver: SessionDriver {
    typealias Answer = Never
    private var lines = ToyLines()
    var wantsInput: Bool { true }
    func opened(_ wire: Wire<Never>) {
        wire.limitSilence(to: .seconds(1800))
        wire.send("+OK logged in\r\n")
    }
    func received(_ bytes: ArraySlice<UInt8>) { lines.feed(bytes) }
    func step(_ wire: Wire<Never>) -> Bool {
        guard let line = lines.next() else { return false }
        if line.first == UInt8(ascii: "Q") {
            wire.send("+OK bye\r\n")
            wire.close()
        } else {
            wire.send("+OK 0 0\r\n")
        }
        return true
    }
    func deadlinePassed() {}
    func shutdownRequested() {}
}
