// The table of folders: whole, in order, and the same as the page in the tree.

import Configuration
import Kernel
import Testing
@testable import mailctl

@Suite struct SpoolTreeTests {
    /// The top of the checkout, from where this file is compiled.
    private func file(_ path: String) throws -> String {
        let here = Path(#filePath).resolved(from: Identity.workingDirectory)
        let folder = (here.parent / "../.." / Path(path)).normalized
        let bytes = try DirectoryDescriptor(opening: folder.parent).contents(of: folder.lastComponent, limit: 1 << 20)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func thePageIsTheTable() throws {
        #expect(try file("spool/README.md") == SpoolTree.page)
    }

    @Test func thePageOnSecurityShowsTheSameRights() throws {
        let page = try file("docs/security.md")
        #expect(page.contains("<!-- the table -->\n\n" + SpoolTree.rights + "\n<!-- end of the table -->"))
    }

    @Test func systemdIsToldOfTheSameUsersAndFolders() throws {
        #expect(try file("etc/sysusers.d/martlet.conf") == SystemFiles.sysusers)
        #expect(try file("etc/tmpfiles.d/martlet.conf") == SystemFiles.tmpfiles)
        #expect(!SystemFiles.tmpfiles.contains("/var/spool/martlet/mail "))
    }

    @Test func theTrackedConfigurationIsWhatInitWritesForDevelopment() throws {
        let values = try #require(ConfigurationSample.development(basePort: ConfigurationSample.developmentBasePort))
        #expect(try file("etc/martlet.toml") == ConfigurationSample.text(values, purpose: ConfigurationSample.developmentPurpose))
    }

    @Test func parentsStandBeforeTheirChildren() {
        var seen: Set<String> = []
        for folder in SpoolTree.folders {
            let key = "\(folder.place.rawValue)/\(folder.path)"
            #expect(seen.insert(key).inserted, "\(key) twice")
            if let slash = folder.path.lastIndex(of: "/") {
                #expect(seen.contains("\(folder.place.rawValue)/\(folder.path[..<slash])"), "\(key)")
            }
        }
    }

    private func row(_ shown: String) throws -> TreeRow {
        try #require(SpoolTree.rows.first { $0.shownPath == shown }, "\(shown)")
    }

    @Test func eachRowIsThereOnceAndEachFileLiesInAFolderOfTheTable() {
        #expect(Set(SpoolTree.rows.map(\.shownPath)).count == SpoolTree.rows.count)
        #expect(SpoolTree.rows.count == SpoolTree.folders.count + 1 + SpoolTree.files.count)
    }

    @Test func rightsFollowFromOwnerGroupModeAndTheFoldersAbove() throws {
        #expect(try row("spool/smtpd/mail/<segment>.log").readers == .services([.smtpd, .queued, .locald, .remoted]))
        #expect(try row("spool/smtpd/mail/<segment>.log").writers == .services([.smtpd]))
        #expect(try row("spool/drop/").writers == .anyone)
        #expect(try row("spool/drop/").readers == .services([.queued]))
        #expect(try row("spool/SPOOL-ID").readers == .services([]))
        // 0444, but in a folder that few may pass.
        #expect(try row("spool/mail/.stage/STORE-ID").readers == .services([.locald, .pop3d, .imapd]))
        #expect(try row("etc/martlet.toml").readers == .anyone)
        #expect(try row("cache/imapd/").readers == .services([.imapd]))
    }

    @Test func secretsAreReadByThoseWhoNeedThem() throws {
        #expect(try row("etc/tls/key.pem").readers == .services([.smtpd, .submission, .pop3d, .imapd]))
        #expect(try row("etc/dkim/<selector>.<domain>.pem").readers == .services([.queued]))
        #expect(try row("spool/directory/credentials/credentials.db").readers == .services([.submission, .pop3d, .imapd]))
        #expect(try row("spool/directory/directory.db").readers == .services([]))
        for row in SpoolTree.rows where row.place == .store {
            #expect(Service.allCases.filter { row.readers.contains($0) || row.writers.contains($0) } == [.locald, .pop3d, .imapd], "\(row.shownPath)")
        }
    }

    @Test func noServiceWritesWhatAnotherOneSays() {
        for row in SpoolTree.rows where row.place == .spool && row.path != "drop" {
            guard case .services(let writers) = row.writers else { Issue.record("anyone writes \(row.shownPath)"); continue }
            #expect(writers.count <= 1 && writers.allSatisfy { row.path.hasPrefix($0.rawValue) }, "\(row.shownPath)")
        }
    }

    @Test func nothingButTheDropFolderIsOpenToStrangersForWriting() {
        #expect(SpoolTree.folders.filter { $0.mode & 0o002 != 0 }.map(\.path) == ["drop"])
        #expect(SpoolTree.folders.first { $0.path == "drop" }?.mode == 0o1733)
    }

    @Test func eachServiceOwnsItsFolderAlone() {
        for service in Service.allCases {
            let owned = SpoolTree.folders.filter { $0.place == .spool && $0.path.hasPrefix(service.rawValue + "/") }
            #expect(owned.contains { $0.path == "\(service.rawValue)/events" })
            #expect(owned.allSatisfy { $0.owner == .service(service) && $0.mode & 0o020 == 0 })
        }
    }

    @Test func remotedReadsNoMailboxAndNoPasswordOfOurs() {
        let groups = Set(ServiceGroup.groups(of: .remoted))
        #expect(groups == [.services, .spool, .relay])
        #expect(Set(ServiceGroup.groups(of: .smtpd)) == [.services, .tls])
        #expect(ServiceGroup.dkim.members == [.queued])
    }
}
