// The command that a session is carrying out, and what it has to remember until the store answers.

/// One command in progress.
enum Running: Sendable {
    /// All is done but the changes that are told before the tagged reply.
    case completing(Completion)
    /// One question, `.done` or not.
    case simple(Tag, done: StaticString)
    case select(Tag, MailboxName, readOnly: Bool)
    case list(ListRun)
    case status(Tag, MailboxName, [StatusItem])
    case append(AppendRun)
    case fetch(FetchRun)
    case store(StoreRun)
    case search(SearchRun)
    case copy(CopyRun)
    case expunge(Tag)
    /// CLOSE: first what is deleted goes, then the selection.
    case close(Tag, isExpunging: Bool)
    case idle(Tag)

    /// Where the reply goes.
    var tag: Tag {
        switch self {
        case .completing(let completion): completion.tag
        case .simple(let tag, _), .select(let tag, _, _), .status(let tag, _, _), .expunge(let tag), .close(let tag, _),
            .idle(let tag):
            tag
        case .list(let run): run.tag
        case .append(let run): run.tag
        case .fetch(let run): run.tag
        case .store(let run): run.tag
        case .search(let run): run.tag
        case .copy(let run): run.tag
        }
    }
}

/// A tagged reply that is ready.
struct Completion: Sendable {
    let tag: Tag
    let text: [UInt8]
    /// Whether EXPUNGE may be told before it (RFC 3501 §7.4.1).
    let tellsExpunges: Bool
}
