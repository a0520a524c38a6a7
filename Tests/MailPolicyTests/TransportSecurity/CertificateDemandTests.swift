// TLSA records: which are used, and which certificate of a chain they name.

import MailTestKit
import Testing

@testable import MailPolicy

@Suite struct CertificateDemandTests {
    /// Hashes that a reader can follow: the length is right, and the first byte says of what.
    private static let hashes = CertificateHashes(
        sha256: { [$0.first ?? 0] + [UInt8](repeating: 1, count: 31) }, sha512: { [$0.first ?? 0] + [UInt8](repeating: 2, count: 63) })
    private static let own = PresentedCertificate(whole: [10], publicKey: [11])
    private static let middle = PresentedCertificate(whole: [20], publicKey: [21])
    private static let root = PresentedCertificate(whole: [30], publicKey: [31])

    private func verdict(_ records: [TLSARecord], _ chain: [PresentedCertificate] = [own, middle, root]) -> CertificateDemand.Verdict? {
        CertificateDemand(records)?.verdict(on: chain, CertificateDemandTests.hashes)
    }

    private static func record(_ usage: UInt8, _ selector: UInt8, _ matching: UInt8, of part: [UInt8]) -> TLSARecord {
        let data = matching == 0 ? part : matching == 1 ? hashes.sha256(part) : hashes.sha512(part)
        return TLSARecord(usage: usage, selector: selector, matching: matching, data: data)
    }

    @Test(arguments: [UInt8(0), 1], [UInt8(0), 1, 2]) func theServersOwnCertificateIsNamed(_ selector: UInt8, _ matching: UInt8) {
        let right = CertificateDemandTests.record(3, selector, matching, of: selector == 0 ? [10] : [11])
        #expect(verdict([right]) == .proven)
        let ofTheMiddle = CertificateDemandTests.record(3, selector, matching, of: selector == 0 ? [20] : [21])
        #expect(verdict([ofTheMiddle]) == .mismatched)
        #expect(verdict([ofTheMiddle, right]) == .proven, "one of them is enough")
        #expect(verdict([right], []) == .mismatched)
    }

    @Test func anAnchorIsNamedAndNothingIsProvenYet() {
        let anchor = CertificateDemandTests.record(2, 1, 1, of: [31])
        #expect(verdict([anchor]) == .anchored([2]))
        #expect(verdict([CertificateDemandTests.record(2, 0, 0, of: [20]), anchor]) == .anchored([1, 2]))
        #expect(verdict([anchor], [CertificateDemandTests.own]) == .mismatched)
    }

    @Test func whatIsUnusableIsLeftOutAndAllOfItIsNoDemand() {
        let unusable = [
            TLSARecord(usage: 0, selector: 0, matching: 0, data: [10]), TLSARecord(usage: 1, selector: 0, matching: 0, data: [10]),
            TLSARecord(usage: 255, selector: 0, matching: 0, data: [10]), TLSARecord(usage: 3, selector: 2, matching: 0, data: [10]),
            TLSARecord(usage: 3, selector: 0, matching: 3, data: [10]), TLSARecord(usage: 3, selector: 0, matching: 1, data: [10]),
            TLSARecord(usage: 3, selector: 0, matching: 2, data: [UInt8](repeating: 0, count: 32)),
            TLSARecord(usage: 3, selector: 0, matching: 0, data: []),
        ]
        #expect(CertificateDemand(unusable) == nil)
        #expect(CertificateDemand([]) == nil)
        #expect(verdict(unusable + [CertificateDemandTests.record(3, 1, 1, of: [11])]) == .proven)
    }

    @Test func aCertificateThatCannotBeReadMatchesNothing() {
        let fits = CertificateDemandTests.record(3, 1, 1, of: [])
        #expect(verdict([fits], [PresentedCertificate(whole: [10], publicKey: [])]) == .mismatched)
    }

    @Test func aLongChainIsLookedAtInPart() {
        let chain = [CertificateDemandTests.own] + (0..<100).map { _ in CertificateDemandTests.root }
        guard case .anchored(let places)? = verdict([CertificateDemandTests.record(2, 0, 0, of: [30])], chain) else { return #expect(Bool(false)) }
        #expect(places.count < 12)
    }
}
