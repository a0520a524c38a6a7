// A milter by script: it reads what the MTA sends, notes it, and replies to each command as it was told or with CONTINUE.

import MailModel
import MailTestKit
import MilterProtocol

struct FakeMilter {
    /// Its answer to OPTNEG, as a packet in text.
    var options = "O#6##511##1024#"
    /// What it replies, by the command's letter; each list once, in turn. A missing one is CONTINUE, an empty one silence.
    var script: [Character: [[String]]] = [:]
    /// What it was told.
    private(set) var log: [String] = []
    /// Packets whose data is not what libmilter would take.
    private(set) var faults: [String] = []
    private(set) var body: [UInt8] = []
    private var framer = PacketFramer(limit: 1 << 20)

    /// Not replied to: MACRO, ABORT, QUIT, QUIT_NC.
    private static let silent = Set("DAQK")
    /// The NR flag of each command that has one.
    private static let noReply: [Character: MilterSteps] = [
        "C": .noReplyConnect, "H": .noReplyHelo, "M": .noReplyMail, "R": .noReplyRecipient, "T": .noReplyData, "U": .noReplyUnknown,
        "L": .noReplyHeader, "N": .noReplyEndOfHeaders, "B": .noReplyBody,
    ]

    init(options: String = "O#6##511##1024#", _ script: [Character: [[String]]] = [:]) {
        self.options = options
        self.script = script
    }

    /// The steps that it asked for.
    var steps: MilterSteps { MilterOptions(parsing: packet(options).data)?.steps ?? [] }

    /// Reads what was sent; gives what it says to that.
    mutating func received(_ bytes: [UInt8]) -> [UInt8] {
        framer.append(bytes)
        var out: [UInt8] = []
        while case .packet(let packet)? = framer.next() { out += replies(to: packet) }
        return out
    }

    mutating func connected() { framer = PacketFramer(limit: 1 << 20) }

    private mutating func replies(to packet: MilterPacket) -> [UInt8] {
        let letter = Character(UnicodeScalar(packet.command))
        check(packet, letter)
        if letter == "B" { body += packet.data }
        log.append(letter == "B" ? "B \(packet.data.count)" : letter == "O" ? "O" : shown(packet))
        if letter == "O" { return wire(options) }
        if FakeMilter.silent.contains(letter) { return [] }
        if let flag = FakeMilter.noReply[letter], steps.contains(flag) { return [] }
        guard script[letter]?.isEmpty == false, let replies = script[letter]?.removeFirst() else { return wire("c") }
        return wire(replies)
    }

    /// The form that libmilter insists on.
    private mutating func check(_ packet: MilterPacket, _ letter: Character) {
        let nuls = packet.data.filter { $0 == 0 }.count
        let ends = packet.data.last == 0
        let isGood =
            switch letter {
            case "O": packet.data.count == 12
            case "H", "U": ends && nuls == 1
            case "M", "R": ends
            case "L": ends && nuls == 2 && packet.data.first != 0
            case "D": packet.data.count > 1 && ends && nuls % 2 == 0
            case "B": !packet.data.isEmpty && packet.data.count <= 65535
            case "C": packet.data.contains(0)
            case "T", "N", "E", "A", "Q", "K": packet.data.isEmpty
            default: false
            }
        if !isGood { faults.append(shown(packet)) }
    }
}

/// One session and its milter, with a body for what is asked of it.
struct MilterWorld {
    var session: MilterSession
    var milter: FakeMilter
    var now = Duration.zero
    var body: [UInt8] = bytes("line one\r\nline two\r\n")
    var isReachable = true
    private(set) var decisions: [MilterDecision] = []
    private(set) var opened = 0
    private(set) var closed = 0

    init(_ milter: FakeMilter = FakeMilter(), _ configuration: MilterConfiguration = MilterConfiguration()) {
        self.milter = milter
        session = MilterSession(configuration: configuration)
    }

    /// Asks, and lets both sides talk until neither has more to say; the decision, if there is one.
    @discardableResult
    mutating func ask(_ question: MilterQuestion, macros: [MilterMacro] = []) -> MilterDecision? {
        let before = decisions.count
        session.asked(question, macros: macros, at: now)
        run()
        return decisions.count == before + 1 ? decisions.last : nil
    }

    mutating func says(_ bytes: some Collection<UInt8>) {
        session.received(bytes, at: now)
        run()
    }

    mutating func run() {
        while let action = session.next() {
            switch action {
            case .open:
                opened += 1
                milter.connected()
                if isReachable { session.opened(at: now) } else { session.connectionLost() }
            case .send(let bytes):
                let replies = milter.received(bytes)
                if !replies.isEmpty { session.received(replies, at: now) }
            case .wantsBody(let range): session.bodyRead(body[range], at: now)
            case .decided(let decision): decisions.append(decision)
            case .close: closed += 1
            }
        }
    }

    static let client = MilterClient(hostName: bytes("mx"), address: .ipv4(bytes("192.0.2.1"), port: 25))

    mutating func lose() {
        session.connectionLost()
        run()
    }

    @discardableResult mutating func connect() -> MilterDecision? { ask(.connect(Self.client)) }
    @discardableResult mutating func helo() -> MilterDecision? { ask(.helo(bytes("a.example"))) }
    @discardableResult mutating func mail() -> MilterDecision? { ask(.mail([bytes("<s@a.example>")])) }
    @discardableResult mutating func recipient(_ name: String = "r", isRefused: Bool = false) -> MilterDecision? {
        ask(.recipient([bytes("<\(name)@a.example>")], isRefused: isRefused))
    }
    @discardableResult mutating func data() -> MilterDecision? { ask(.data) }
    @discardableResult mutating func message(_ header: String = "Subject: hi\r\nX: a\r\n b\r\n\r\n", macros: [MilterMacro] = []) -> MilterDecision? {
        let edits = MessageEdits(header: bytes(header), sender: .null, recipients: [])
        return ask(.message(edits.fields, bodySize: body.count), macros: macros)
    }

    /// From the connection to the dot, or to a question without an answer; the decisions of each step.
    mutating func dialogue() -> [MilterDecision?] {
        var decisions = [connect()]
        if decisions.last != .some(nil) { decisions.append(helo()) }
        return decisions.last == .some(nil) ? decisions : decisions + transaction()
    }

    /// A further message.
    mutating func transaction() -> [MilterDecision?] {
        var decisions = [mail()]
        if decisions.last != .some(nil) { decisions.append(recipient()) }
        if decisions.last != .some(nil) { decisions.append(data()) }
        if decisions.last != .some(nil) { decisions.append(message()) }
        return decisions
    }
}

let proceed = MilterDecision.proceed([])
