// A SEARCH in progress. What the session knows is decided here; only the messages for which that is not enough
// are asked of the store, a few at a time.

internal import MailModel

/// What a SEARCH remembers between the answers of the store.
struct SearchRun: Sendable {
    static let portion = 32
    /// Steps evaluated until others get their turn.
    static let effort = 50_000

    let tag: Tag
    let numbering: Command.Numbering
    let program: ResolvedSearch
    var place = 0
    /// Places whose result the store has to decide.
    var candidates: [Int] = []
}

/// A search program with its numbers resolved in one mailbox and its conditions on content numbered.
struct ResolvedSearch: Sendable {
    private enum Step: Sendable {
        case all
        case flags(SystemFlags)
        case keyword(Keyword)
        case sequence(NumberSet)
        case uids(NumberSet)
        case content(Int)
        case not, or
        case and(count: Int)
    }

    /// The conditions that the store may be asked about, each once.
    private(set) var contentKeys: [ContentKey] = []
    private var steps: [Step] = []

    var cost: Int { steps.count }

    init(_ program: SearchProgram, in mailbox: SelectedMailbox) {
        for step in program.steps {
            switch step {
            case .not: steps.append(.not)
            case .or: steps.append(.or)
            case .and(let count): steps.append(.and(count: count))
            case .leaf(let key): steps.append(resolve(key, in: mailbox))
            }
        }
    }

    private mutating func resolve(_ key: SearchKey, in mailbox: SelectedMailbox) -> Step {
        switch key {
        case .all: return .all
        case .flags(let flags): return .flags(flags)
        case .keyword(let keyword): return .keyword(keyword)
        case .sequence(let set): return .sequence(set.resolved(largest: UInt32(clamping: mailbox.messages.count)))
        case .uids(let set): return .uids(set.resolved(largest: mailbox.messages.last?.uid.value ?? 0))
        case .content(let key):
            if let index = contentKeys.firstIndex(of: key) { return .content(index) }
            contentKeys.append(key)
            return .content(contentKeys.count - 1)
        }
    }

    /// Whether the message at `place` is wanted; nil if that depends on what only the store knows.
    ///
    /// `known`: the store's answers to `contentKeys`, empty before it was asked.
    func matches(_ message: MessageState, at place: Int, known: [Bool] = []) -> Bool? {
        var results: [Bool?] = []
        for step in steps {
            switch step {
            case .all: results.append(true)
            case .flags(let flags): results.append(message.flags.system.isSuperset(of: flags))
            case .keyword(let keyword): results.append(message.flags.contains(keyword))
            case .sequence(let set): results.append(set.contains(UInt32(clamping: place + 1)))
            case .uids(let set): results.append(set.contains(message.uid.value))
            case .content(let index):
                results.append(index < known.count ? known[index] : contentKeys[index].decided(by: message))
            case .not: if let last = results.popLast() { results.append(last.map { !$0 }) }
            case .or:
                let operands = results.suffix(2)
                results.removeLast(operands.count)
                results.append(operands.contains(true) ? true : operands.contains(nil) ? nil : false)
            case .and(let count):
                let operands = results.suffix(count)
                results.removeLast(operands.count)
                results.append(operands.contains(false) ? false : operands.contains(nil) ? nil : true)
            }
        }
        return results.last ?? false
    }
}

extension ContentKey {
    /// The answer if the session's view of the message has it.
    fileprivate func decided(by message: MessageState) -> Bool? {
        switch self {
        case .larger(let limit): message.size.map { Int($0) > limit }
        case .smaller(let limit): message.size.map { Int($0) < limit }
        case .received, .sent, .header, .body, .text: nil
        }
    }
}
