// APPEND, COPY, MOVE, EXPUNGE and DELE with their Nth system call failing, N = 1, 2, …, until none is left to fail. Once
// with all calls from the Nth on, and all memory lost: the process died. Once with that call alone, and the process goes on.

import Kernel
import MailModel
import Testing

@testable import Mailbox

@Suite(.enabled(if: CrashVictim.order == nil)) struct FaultWalkTests {
    enum Work: String, CaseIterable, Sendable { case append, copy, move, expunge, dele }
    enum Mishap: String, CaseIterable, Sendable { case dies, fails }

    enum Acknowledgement {
        case appended(MessageUID)
        case transferred(TransferResult)
        case expunged([MessageUID])
        case deleted(Int)
    }

    /// What a client was shown of a mailbox.
    struct Shown: Equatable {
        let validity: UIDValidity
        let uidNext: MessageUID
        var tokens: [MessageUID: String] = [:]

        init(_ folder: Folder) throws {
            validity = folder.validity
            uidNext = folder.uidNext
            for uid in folder.uids { tokens[uid] = String(decoding: try folder.open(uid).contents(), as: UTF8.self) }
        }

        func count(_ token: String) -> Int { tokens.values.count { $0 == token } }
    }

    static let now = WallTime(seconds: 1_763_700_000)
    private let ours = ["one", "two", "three", "four"]

    private func prepare() throws -> TemporaryStore {
        let store = try TemporaryStore()
        let account = try store.account()
        let inbox = try account.open(.inbox)
        for token in ours { _ = try inbox.append(bytes(token), flags: .seen, seconds: 1) }
        try account.create(mailbox("Work"))
        _ = try account.open(mailbox("Work")).append(bytes("work"), flags: [], seconds: 1)
        try store.put("new", "new", "5.n.h")
        return store
    }

    private func perform(_ work: Work, _ account: Account, _ inbox: Folder, _ other: Folder) throws -> Acknowledgement {
        switch work {
        case .append: .appended(try inbox.append(bytes("appended"), flags: .seen, seconds: 1))
        case .copy: .transferred(try inbox.copy([1, 2, 3], to: other))
        case .move: .transferred(try inbox.move([1, 2, 3], to: other))
        case .expunge: .expunged(try inbox.expunge([1, 3], at: FaultWalkTests.now))
        case .dele: .deleted(try Maildrop(account).delete([0, 1], at: FaultWalkTests.now))
        }
    }

    private func open(_ store: TemporaryStore) throws -> (Account, Folder, Folder) {
        let account = try Account(store: store.root, folder: TemporaryStore.account, context: store.context)
        return (account, try account.open(.inbox), try account.open(mailbox("Work")))
    }

    @Test(arguments: Work.allCases, Mishap.allCases)
    func anyCallMayFail(_ work: Work, _ mishap: Mishap) throws {
        var call = 0
        var lived = false
        while !lived {
            call += 1
            let comment: Comment = "\(work) \(mishap) at \(call)"
            let store = try prepare()
            let script = try #require(FaultScript(mishap == .dies ? "EIO@\(call)+" : "EIO@\(call)"))
            var acknowledged: Acknowledgement?
            let before: (inbox: Shown, work: Shown)
            do {
                let (account, inbox, other) = try open(store)
                before = (try Shown(inbox), try Shown(other))
                do {
                    acknowledged = try FaultInjection.running(script) {
                        guard mishap == .dies else { return try perform(work, account, inbox, other) }
                        let (account, inbox, other) = try open(store)
                        return try perform(work, account, inbox, other)
                    }
                } catch is StoreError {}
                lived = script.count < call
                #expect(!lived || acknowledged != nil, comment)
                if mishap == .fails {
                    _ = try inbox.look()
                    _ = try other.look()
                    try check(work, acknowledged, before, (try Shown(inbox), try Shown(other)), store, isWhole: true, comment)
                    let fresh = try open(store)
                    #expect(try Shown(fresh.1) == Shown(inbox) && Shown(fresh.2) == Shown(other), comment)
                }
            }
            try reopen(store, work, acknowledged, before, isWhole: mishap == .fails, boot: call % 2 == 0 ? "boot-1" : "boot-2", comment)
            try #require(call < 300, "\(work) never ends")
        }
        #expect(call > 8, "\(work) failed nowhere")
    }

    private func reopen(
        _ store: TemporaryStore, _ work: Work, _ acknowledged: Acknowledgement?, _ before: (inbox: Shown, work: Shown),
        isWhole: Bool, boot: String, _ comment: Comment
    ) throws {
        let account = try store.account(boot: boot)
        let (inbox, other) = (try account.open(.inbox), try account.open(mailbox("Work")))
        let after = (inbox: try Shown(inbox), work: try Shown(other))
        try check(work, acknowledged, before, after, store, isWhole: isWhole, comment)
        let again = try store.account(boot: boot)
        #expect(try Shown(again.open(.inbox)) == after.inbox && Shown(again.open(mailbox("Work"))) == after.work, comment)
        for folder in [inbox, other] {
            let next = folder.uidNext
            #expect(try folder.append(bytes("later"), flags: [], seconds: 1) >= next, comment)
        }
    }

    private func check(
        _ work: Work, _ acknowledged: Acknowledgement?, _ before: (inbox: Shown, work: Shown),
        _ after: (inbox: Shown, work: Shown), _ store: TemporaryStore, isWhole: Bool, _ comment: Comment
    ) throws {
        for (old, new) in [(before.inbox, after.inbox), (before.work, after.work)] {
            #expect(old.validity == new.validity, comment)
            #expect(new.tokens.keys.allSatisfy { $0 < new.uidNext } && old.uidNext <= new.uidNext, comment)
            for (uid, token) in new.tokens {
                // A UID is the message that it was, or above all that were shown.
                #expect(old.tokens[uid].map { $0 == token } ?? (uid >= old.uidNext), comment)
            }
            #expect(Set(new.tokens.values).count == new.tokens.count, "two UIDs of one message, \(comment)")
        }
        let hidden = try hiddenTokens(store)
        for token in ours + ["new"] {
            let places = after.inbox.count(token) + (work == .move ? after.work.count(token) : hidden.count { $0 == token })
            #expect(places == 1, "\(token) is in \(places) places, \(comment)")
        }
        #expect(after.work.count("work") == 1, comment)
        guard let acknowledged else {
            if isWhole, work == .append || work == .copy {
                #expect(after.inbox.count("appended") == 0 && after.work.tokens == before.work.tokens, comment)
            }
            return
        }
        check(acknowledged, before, after, isMove: work == .move, comment)
    }

    private func check(
        _ acknowledged: Acknowledgement, _ before: (inbox: Shown, work: Shown), _ after: (inbox: Shown, work: Shown),
        isMove: Bool, _ comment: Comment
    ) {
        switch acknowledged {
        case .appended(let uid): #expect(after.inbox.tokens[uid] == "appended", comment)
        case .transferred(let result):
            #expect(result.source == [1, 2, 3] && result.validity == after.work.validity, comment)
            for (old, new) in zip(result.source, result.destination) {
                #expect(after.work.tokens[new] == before.inbox.tokens[old], comment)
                #expect((after.inbox.tokens[old] == nil) == isMove, comment)
            }
        case .expunged(let uids):
            #expect(uids == [1, 3] && after.inbox.tokens[1] == nil && after.inbox.tokens[3] == nil, comment)
        case .deleted(let count): #expect(count == 2 && after.inbox.tokens.count == before.inbox.tokens.count - 2, comment)
        }
    }

    private func hiddenTokens(_ store: TemporaryStore) throws -> [String] {
        do {
            return try store.names("martlet/expunged").map {
                String(decoding: try store.folder("martlet/expunged").contents(of: Path($0), limit: 1000), as: UTF8.self)
            }
        } catch let error as KernelError where error.isMissing { return [] }
    }
}
