// Whose sessions a service writes down for a while: published by mailctl beside the log levels, over by the clock.

import Kernel
import MailModel
import SpoolFormat
import Synchronization

/// The sessions of one client address or one account of a service, until a time.
package struct TranscriptWish: Hashable, Sendable {
    package enum Subject: Hashable, Sendable { case address([UInt8]), account([UInt8]) }

    package let service: String
    package let subject: Subject
    /// Seconds since 1970.
    package let until: Int64

    package init(service: String, subject: Subject, until: Int64) {
        self.service = service
        self.subject = subject
        self.until = until
    }

    /// So many at a time: the file that they stand in stays small.
    package static let most = 8

    /// Lines `service transcript address 192.0.2.1 1790000000`; a reader of levels passes over them.
    package static func text(_ wishes: [TranscriptWish]) -> [UInt8] {
        wishes.flatMap { wish in
            let (kind, value) = switch wish.subject {
            case .address(let address): ("address", address)
            case .account(let account): ("account", account)
            }
            return Array("\(wish.service) transcript \(kind) ".utf8) + value + Array(" \(wish.until)\n".utf8)
        }
    }

    package static func wishes(in text: [UInt8]) -> [TranscriptWish] {
        text.split(separator: 0x0A).compactMap { line in
            let words = line.split(separator: 0x20)
            guard words.count == 5, words[1].elementsEqual("transcript".utf8), let until = words[4].decimalValue else { return nil }
            let value = Array(words[3])
            let subject: Subject
            switch words[2].display {
            case "address": subject = .address(value)
            case "account": subject = .account(value)
            default: return nil
            }
            return TranscriptWish(service: words[0].display, subject: subject, until: Int64(until))
        }
    }
}

/// The wishes that this process has heard.
package enum Transcripts {
    private static let wishes = Mutex<[TranscriptWish]>([])
    /// Almost always false: then nobody takes the lock.
    private static let isAny = Atomic<Bool>(false)

    package static func become(_ heard: [TranscriptWish]) {
        let heard = Array(heard.prefix(TranscriptWish.most))
        wishes.withLock { $0 = heard }
        isAny.store(!heard.isEmpty, ordering: .relaxed)
    }

    /// Whether a session from `address`, logged in as `account`, is to be written down at this moment.
    package static func want(address: [UInt8], account: [UInt8]?) -> Bool {
        guard isAny.load(ordering: .relaxed) else { return false }
        let now = WallTime.now().seconds
        return wishes.withLock { wishes in
            wishes.contains { wish in
                guard wish.until > now else { return false }
                return switch wish.subject {
                case .address(let wanted): wanted == address
                case .account(let wanted): account.map { $0.asciiLowercased == wanted.asciiLowercased } ?? false
                }
            }
        }
    }

    /// One line on stderr; what a peer sent cannot steer the terminal, and is cut at 1000 bytes.
    package static func write(_ program: String, _ text: [UInt8]) {
        let clean = text.prefix(1000).map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
        writeToStandardError(Array("\(program): transcript - ".utf8) + clean + [0x0A])
    }
}
