// Several milters in a row, each by its script, and a pump for them.

import MailModel
import MailTestKit
import MilterProtocol

struct ChainWorld {
    var chain: MilterChain
    var milters: [FakeMilter]
    var body: [UInt8] = bytes("line one\r\n")
    var isReachable: [Bool]
    private(set) var decisions: [ChainDecision] = []
    private(set) var speakers: [Int?] = []
    private(set) var bodyRequests = 0

    init(_ milters: [FakeMilter], policies: [MilterConfiguration.FailurePolicy] = []) {
        self.milters = milters
        isReachable = milters.map { _ in true }
        chain = MilterChain(milters.indices.map { MilterConfiguration(failurePolicy: $0 < policies.count ? policies[$0] : .temporaryFailure) })
    }

    mutating func run() {
        while let action = chain.next() {
            switch action {
            case .open(let index):
                milters[index].connected()
                if isReachable[index] { chain.opened(index, at: .zero) } else { chain.connectionLost(index, at: .zero) }
            case .send(let index, let bytes):
                let replies = milters[index].received(bytes)
                if !replies.isEmpty { chain.received(replies, from: index, at: .zero) }
            case .wantsBody(let range):
                bodyRequests += 1
                chain.bodyRead(body[range], at: .zero)
            case .decided(let decision, let by):
                decisions.append(decision)
                speakers.append(by)
            case .close: break
            }
        }
    }

    /// The decision in a word, and who spoke.
    mutating func ask(_ question: MilterQuestion) -> String {
        let before = decisions.count
        chain.asked(question, at: .zero)
        run()
        return verdict(since: before)
    }

    mutating func message(_ header: String = "Subject: hi\r\n\r\n") -> String {
        let before = decisions.count
        chain.messageReceived(
            header: bytes(header), bodySize: body.count, sender: .null, recipients: [address("r@a.example")], at: .zero)
        run()
        return verdict(since: before)
    }

    private func verdict(since before: Int) -> String {
        guard decisions.count == before + 1, let decision = decisions.last, let speaker = speakers.last else { return "none" }
        let by = speaker.map { " by \($0)" } ?? ""
        switch decision {
        case .proceed: return "proceed" + by
        case .message: return "message" + by
        case .discard: return "discard" + by
        case .refuse(let refusal): return "\(refusal.code)" + by
        }
    }

    var edits: MessageEdits? {
        if case .message(let edits)? = decisions.last { return edits }
        return nil
    }

    mutating func begin() -> [String] {
        [
            ask(.connect(MilterWorld.client)), ask(.helo(bytes("a"))), ask(.mail([bytes("<>")])),
            ask(.recipient([bytes("<r@a.example>")], isRefused: false)), ask(.data),
        ]
    }
}
