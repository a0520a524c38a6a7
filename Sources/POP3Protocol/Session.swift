// The TRANSACTION and UPDATE states of POP3 (RFC 1939 §5 and §6).
// Invariant: nothing is removed but by one `.update` question, asked only when the client said QUIT.

/// The dialogue after login, from the maildrop's opening to its update.
///
/// Feed it events, then call `next()` until it returns nil. A large reply comes in pieces: write each before
/// the next call, and a client that does not read holds back the store instead of filling memory (V47).
package struct Session: Sendable {
    /// A message of the maildrop, as it was when the session began.
    package struct Message: Hashable, Sendable {
        /// Octets in wire form, CRLF line ends, dots not doubled (RFC 1939 §11).
        package let size: Int
        /// The unique id: 1 to 70 bytes of 0x21 … 0x7E (RFC 1939 §7).
        package let uniqueID: [UInt8]

        package init(size: Int, uniqueID: [UInt8]) {
            self.size = size
            self.uniqueID = uniqueID
        }
    }

    /// What the store must do; each is answered by one `answered(_:)`. Indices count from 0.
    package enum Question: Equatable, Sendable {
        case open
        /// Some bytes of the message file from `from` on, as many as the asker likes; none at its end.
        case content(of: Int, from: Int)
        /// Remove these, durably, before the answer.
        case update(deleted: [Int])
    }

    package enum Answer: Equatable, Sendable {
        case opened([Message])
        /// Another session holds the maildrop.
        case inUse
        case content([UInt8])
        /// The file is gone: another program removed it.
        case missing
        /// As many as were really removed, or had gone already.
        case updated(removed: Int)
        /// It cannot be done now.
        case unavailable
    }

    package enum Action: Equatable, Sendable {
        case send([UInt8])
        case ask(Question)
        case close
    }

    package struct Limits: Hashable, Sendable {
        /// Octets of a command line with its CRLF (RFC 2449 §4 deviation: 512, where 255 is asked for).
        package var line = 512
        /// Lines that are no command, before we close.
        package var errors = 20
        /// Octets of a listing after which we wait until they are written.
        package var piece = 32_768
        package init() {}
    }

    enum Listing: Equatable, Sendable { case sizes, uniqueIDs }

    enum State: Equatable, Sendable {
        case opening
        case ready
        /// The next line to write is that of this index.
        case listing(Listing, next: Int)
        case asking
        /// A message is under way, and its next piece is not asked for yet.
        case sending
        case updating(count: Int)
        case over
    }

    let limits: Limits
    let capabilities: Capabilities
    var state = State.opening
    var messages: [Message] = []
    var isDeleted: [Bool] = []
    var transfer = Transfer(index: 0, cut: nil)
    private var reader: CommandReader
    private var actions: [Action] = [.ask(.open)]
    private var errors = 0
    private var isStopping = false

    /// `leftover` are the bytes that the client sent before it knew that it is logged in.
    package init(_ capabilities: Capabilities, leftover: [UInt8] = [], limits: Limits = Limits()) {
        self.capabilities = capabilities
        self.limits = limits
        reader = CommandReader(leftover)
    }

    /// Whether more bytes should be read from the client now.
    package var wantsInput: Bool { state != .over && reader.count < 4096 }

    package mutating func received(_ bytes: some Collection<UInt8>) {
        if state != .over { reader.append(bytes) }
    }

    /// RFC 1939 §3: an idle client is dropped without a word, and nothing is removed.
    package mutating func deadlinePassed() { end() }

    /// The reply under way is completed; what was marked as deleted stays.
    package mutating func shutdownRequested() { isStopping = true }

    package mutating func answered(_ answer: Answer) {
        switch state {
        case .opening: opened(answer)
        case .asking: contentCame(answer)
        case .updating(let count): updated(answer, of: count)
        case .ready, .listing, .sending, .over: break
        }
    }

    /// The next thing to do; nil until there is another event.
    package mutating func next() -> Action? {
        while actions.isEmpty, step() {}
        return actions.isEmpty ? nil : actions.removeFirst()
    }

    /// Goes on with what is under way, or reads a line; false if there is nothing to do.
    private mutating func step() -> Bool {
        switch state {
        case .listing(let listing, let next): continueListing(listing, from: next)
        case .sending: askForMore()
        case .ready:
            if isStopping { end() } else { return readLine() }
        case .opening, .asking, .updating, .over: return false
        }
        return true
    }

    private mutating func readLine() -> Bool {
        switch reader.next(limit: limits.line) {
        case .incomplete: return false
        case .invalid(.tooLong): close(Reply.error("line too long"))
        case .invalid(.strayByte): close(Reply.error("lines end with CR LF"))
        case .line(let line): command(line)
        }
        return true
    }
}

extension Session {
    mutating func send(_ reply: [UInt8]) { actions.append(.send(reply)) }

    mutating func ask(_ question: Question) { actions.append(.ask(question)) }

    mutating func close(_ reply: [UInt8]) {
        send(reply)
        actions.append(.close)
        state = .over
    }

    /// Ends without a word, in the middle of a reply if need be.
    mutating func end() {
        guard state != .over else { return }
        actions = [.close]
        state = .over
    }

    /// A line that is no command, or not here.
    mutating func refused(_ text: String) {
        errors += 1
        if errors > limits.errors { return close(Reply.error("too many errors")) }
        send(Reply.error(text))
    }

    private mutating func opened(_ answer: Answer) {
        switch answer {
        case .opened(let found):
            messages = found
            isDeleted = Array(repeating: false, count: found.count)
            state = .ready
            send(Reply.ok("maildrop has \(messageCount(found.count))"))
        case .inUse: close(Reply.error("another session has this maildrop", .inUse))
        case .unavailable, .missing, .content, .updated:
            close(Reply.error("cannot open the maildrop now, try again later", .systemTemporary))
        }
    }

    private mutating func updated(_ answer: Answer, of count: Int) {
        switch answer {
        case .updated(let removed) where removed >= count: close(Reply.ok("\(messageCount(count)) deleted, bye"))
        case .updated, .unavailable, .opened, .inUse, .content, .missing:
            close(Reply.error("some deleted messages not removed", .systemTemporary))
        }
    }
}

private func messageCount(_ count: Int) -> String { count == 1 ? "1 message" : "\(count) messages" }
