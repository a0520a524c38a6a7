// The server's side of SMTP without a socket: events in, actions out, and never a reply that nobody asked for.
// Everything that RSET, EHLO or STARTTLS must forget is forgotten in `forget(_:)` and nowhere else.

internal import MailModel

/// One SMTP connection from greeting to close (RFC 5321 §3).
///
/// The pump calls an event, then `next()` until it is nil. While a question is open, input is held; heed `wantsInput`.
package struct ServerSession: Sendable {
    package let configuration: ServerConfiguration
    package let peer: [UInt8]
    package internal(set) var isTLS: Bool
    /// Who authenticated here, as the daemon named it.
    package internal(set) var identity: [UInt8]?

    var framer = LineFramer()
    var phase = Phase.command
    var openQuestion: OpenQuestion?
    var client: Client?
    var transaction: Transaction?
    var reception: ContentReception?
    var counters = Counters()
    var totals = Totals()
    var isStopping = false
    var inputHasEnded = false

    private var actions: [ServerAction] = []
    private var taken = 0
    private var held: [UInt8] = []

    enum Phase: Sendable { case command, authentication, handshake, closed }

    enum OpenQuestion: Sendable {
        case sender(ReversePath, MailParameters)
        case recipient(EmailAddress, RecipientOptions)
        case postmaster(RecipientOptions)
        case authentication
        case message
    }

    struct Client: Sendable {
        let name: [UInt8]
        let isExtended: Bool
    }

    struct Transaction: Sendable {
        let sender: ReversePath
        let body: BodyType
        let options: MessageOptions
        var recipients: [EmailAddress] = []
        var recipientOptions: [EmailAddress: RecipientOptions] = [:]
        var recipientOctets = 0
        var known: Set<EmailAddress> = []
        var attempts = 0
        /// Its content comes by BDAT.
        var isChunked = false
        /// A chunk of its content was refused; the reception stays until the message's end or RSET, so nothing else begins.
        var isSpoiled = false
    }

    /// What LIMITS counts over the whole session (RFC 9422 §6).
    struct Totals: Sendable {
        var transactions = 0
        var recipientDomains: Set<Domain> = []
    }

    struct Counters: Sendable {
        var errors = 0
        var authenticationFailures = 0
        var commandsWithoutMail = 0
    }

    /// `peer` is the client's address as text; `isTLS` is true where TLS comes before the greeting (RFC 8314 §3.3).
    package init(configuration: ServerConfiguration, peer: [UInt8], isTLS: Bool) {
        self.configuration = configuration
        self.peer = peer
        self.isTLS = isTLS
        reply(Reply(220, nil, "\(configuration.hostName) ESMTP Martlet"))
    }

    /// What to do next; nil until another event.
    package mutating func next() -> ServerAction? {
        guard taken < actions.count else {
            actions.removeAll(keepingCapacity: true)
            taken = 0
            return nil
        }
        defer { taken += 1 }
        return actions[taken]
    }

    /// Whether the pump should read on; false while much is held or actions wait.
    package var wantsInput: Bool {
        phase != .closed && !inputHasEnded && framer.count < 65536 && taken == actions.count
    }

    package var isClosed: Bool { phase == .closed }

    /// The dialogue is between transactions and nothing is owed: where a stop or a hand-over costs nobody anything.
    package var isIdle: Bool { transaction == nil && openQuestion == nil && reception == nil }

    // MARK: - Replies and actions

    /// A reply that ends what may be grouped: it goes out at once (RFC 2920 §3.2).
    mutating func reply(_ reply: Reply) {
        reply.append(to: &held)
        flush()
    }

    /// A reply to MAIL, RCPT or RSET: held while commands of the same group still wait in our input.
    mutating func replyInGroup(_ reply: Reply) {
        reply.append(to: &held)
        if held.count > 16384 { flush() }
    }

    mutating func flush() {
        guard !held.isEmpty else { return }
        actions.append(.send(held))
        held = []
    }

    mutating func act(_ action: ServerAction) {
        flush()
        actions.append(action)
    }

    /// Asks; replies are held back only if the client has sent more already.
    mutating func ask(_ question: ServerQuestion, _ open: OpenQuestion) {
        if framer.count == 0 { flush() }
        openQuestion = open
        actions.append(.ask(question))
    }

    /// A command was refused: so many, and the connection ends.
    mutating func refuse(_ refusal: Reply) {
        replyInGroup(refusal)
        guard refusal.replyClass == .permanent else { return }
        counters.errors += 1
        if counters.errors >= configuration.limits.errors { close(saying: .tooManyErrors) }
    }

    mutating func close(saying last: Reply? = nil) {
        guard phase != .closed else { return }
        dropContent()
        if let last { reply(last) }
        forget(.dialogue)
        openQuestion = nil
        phase = .closed
        act(.close)
    }

    // MARK: - Forgetting

    enum Scope { case transaction, dialogue }

    /// Nobody takes responsibility for what was received.
    private mutating func dropContent() {
        if reception?.isSpilled == true { act(.discardContent) }
        reception = nil
    }

    /// The one place where state ends: RSET, EHLO and the end of a message forget the transaction (RFC 5321 §4.1.4);
    /// STARTTLS forgets all that the client said in the clear, unread bytes included (RFC 3207 §4.2, CVE-2011-0411).
    mutating func forget(_ scope: Scope) {
        transaction = nil
        dropContent()
        guard scope == .dialogue else { return }
        client = nil
        identity = nil
        counters = Counters()
        totals = Totals()
        _ = framer.takeAll()
    }
}
