import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt'
import * as google from '@bufbuild/protobuf/wkt'
import { parseProto } from './proto-source/parse.js'

/**
 * Files that every protobuf compiler includes, so that their imports need no import path. A file follows its imports.
 */
const GOOGLE_PROTOBUF = [
  google.file_google_protobuf_descriptor,
  google.file_google_protobuf_any,
  google.file_google_protobuf_duration,
  google.file_google_protobuf_empty,
  google.file_google_protobuf_field_mask,
  google.file_google_protobuf_source_context,
  google.file_google_protobuf_struct,
  google.file_google_protobuf_timestamp,
  google.file_google_protobuf_wrappers,
  google.file_google_protobuf_type,
  google.file_google_protobuf_api,
  google.file_google_protobuf_compiler_plugin,
  google.file_google_protobuf_cpp_features,
  google.file_google_protobuf_java_features,
  google.file_google_protobuf_go_features,
]

/**
 * The messages of gRPC's richer error model, by file name. The trailer grpc-status-details-bin contains a
 * google.rpc.Status. A server may send these messages although none of its services imports their files. Names and
 * numbers are those of google/rpc in googleapis.
 */
const GOOGLE_RPC: Readonly<Record<string, string>> = {
  'google/rpc/status.proto': `
    syntax = "proto3";
    package google.rpc;
    import "google/protobuf/any.proto";
    message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }`,
  'google/rpc/error_details.proto': `
    syntax = "proto3";
    package google.rpc;
    import "google/protobuf/duration.proto";
    message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
    message RetryInfo { google.protobuf.Duration retry_delay = 1; }
    message DebugInfo { repeated string stack_entries = 1; string detail = 2; }
    message QuotaFailure {
      message Violation {
        string subject = 1;
        string description = 2;
        string api_service = 3;
        string quota_metric = 4;
        string quota_id = 5;
        map<string, string> quota_dimensions = 6;
        int64 quota_value = 7;
        optional int64 future_quota_value = 8;
      }
      repeated Violation violations = 1;
    }
    message PreconditionFailure {
      message Violation { string type = 1; string subject = 2; string description = 3; }
      repeated Violation violations = 1;
    }
    message BadRequest {
      message FieldViolation {
        string field = 1;
        string description = 2;
        string reason = 3;
        LocalizedMessage localized_message = 4;
      }
      repeated FieldViolation field_violations = 1;
    }
    message RequestInfo { string request_id = 1; string serving_data = 2; }
    message ResourceInfo {
      string resource_type = 1;
      string resource_name = 2;
      string owner = 3;
      string description = 4;
    }
    message Help {
      message Link { string description = 1; string url = 2; }
      repeated Link links = 1;
    }
    message LocalizedMessage { string locale = 1; string message = 2; }`,
}

let files: readonly FileDescriptorProto[] | null = null

/** The files that are always available: an import of one of them is never missing. */
export function builtInFiles(): readonly FileDescriptorProto[] {
  files ??= [
    ...GOOGLE_PROTOBUF.map(({ proto }) => proto),
    ...Object.entries(GOOGLE_RPC).map(([name, source]) => parseProto(source, name)),
  ]
  return files
}
